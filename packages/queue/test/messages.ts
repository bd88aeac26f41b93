import type { QueueMessage } from '@grsai-jobs/jobs';

const message: QueueMessage = { queue: 'store', id: '', step: 1, batch_id: null, turn: 0, priority: 'normal', delayMs: 0 };

/** An entry of a job whose result is to be stored. */
export const toStore = (id: string, step = 1): QueueMessage => ({ ...message, id, step });

/** An entry of a chat that waits for its turn. */
export const toCall = (id: string, turn: number, priority: QueueMessage['priority'] = 'normal'): QueueMessage => ({
  ...message,
  queue: 'call',
  id,
  turn,
  priority,
});
