/** The task of `maintain` that goes on with operations. */
export const OPERATIONS_TASK = 'operations';

/** The keys of queues stand under a tag of their own, beside the records' (design.md §9). */
export const queuePrefix = (prefix: string): string => `{${prefix}-q}`;
