/** One queue for each kind of work, so that a pause of one never stops another (design.md §2.2). */
export const QUEUES = ['call', 'submit', 'poll', 'store', 'deliver', 'maintain'] as const;
export type QueueName = (typeof QUEUES)[number];
