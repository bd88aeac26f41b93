export { QUEUES, type QueueName } from '@grsai-jobs/jobs';
export {
  type Consumer,
  type ConsumerOptions,
  createConsumer,
  createMaintainer,
  done,
  type Handler,
  type MaintainerOptions,
  type MaintenanceTasks,
  type Outcome,
  type Work,
} from './consumer.ts';
export type { Depth } from './depth.ts';
export {
  type Entry,
  entryId,
  priorityOf,
} from './entries.ts';
export { ENTRY_STATES, type EntryListState, type EntryPage, type ListedEntry } from './list-entries.ts';
export { OPERATIONS_TASK, queuePrefix } from './names.ts';
export { createProducer, type EntryState, type Producer } from './producer.ts';
