import type { Producer } from '@grsai-jobs/queue';
import type { Logger } from '@grsai-jobs/runtime';

/** Has a worker look for operations now. Nobody waits for it: within a second a worker looks by itself. */
export type NudgeOperations = () => void;

export const createNudgeOperations =
  (o: { producer: Pick<Producer, 'nudgeOperations'>; log: Logger }): NudgeOperations =>
  () => {
    o.producer.nudgeOperations().catch((err: unknown) => {
      o.log.warn({ event: 'operation.not_nudged', err }, 'a worker finds the operation by itself');
    });
  };
