export { type BoardQueues, createBoardQueues } from './board.ts';
export { connectRedis, type Role, redisTrouble } from './connections.ts';
export {
  type Consumer,
  type ConsumerOptions,
  createConsumer,
  createMaintainer,
  done,
  type Handler,
  type Outcome,
  type Work,
} from './consumer.ts';
export type { Depth } from './depth.ts';
export {
  type Enqueued,
  type Entry,
  entryId,
  type NewEntry,
  priorityOf,
  QUEUES,
  type QueueName,
  queueOf,
} from './entries.ts';
export { createProducer, type EntryState, type Producer, WORKS_ROUND } from './producer.ts';
