/**
 * How entries are written, read and shown, for whatever stands in for BullMQ: both then differ in nothing that the service sees. It loads
 * neither BullMQ nor ioredis.
 */
export { deliveryData, entryId, jobData, KEPT_ENTRIES, parseEntry, priorityOf } from './entries.ts';
export { dueOf, listed } from './list-entries.ts';
export { OPERATIONS_TASK, queuePrefix } from './names.ts';
export { LONGEST_THROTTLE_MS, throttleMs } from './throttle.ts';
