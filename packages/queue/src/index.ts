export { connectRedis, type Role, redisTrouble, type Silence } from './connections.ts';
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
  type Entry,
  entryId,
  type NewEntry,
  priorityOf,
  QUEUES,
  type QueueName,
} from './entries.ts';
export { ENTRY_STATES, type EntryListState, type EntryPage, type ListedEntry } from './list-entries.ts';
export { createProducer, type EntryState, OPERATIONS_TASK, type Producer } from './producer.ts';
