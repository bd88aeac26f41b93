import type { Producer } from '@grsai-jobs/queue';
import type { Logger } from '@grsai-jobs/runtime';

/** Has a worker look for long work now. Nobody waits for it: within a second a worker looks by itself. */
export type NudgeWorks = () => void;

export const createNudgeWorks =
  (o: { producer: Pick<Producer, 'nudgeWorks'>; log: Logger }): NudgeWorks =>
  () => {
    o.producer.nudgeWorks().catch((err: unknown) => {
      o.log.warn({ event: 'work.not_nudged', err }, 'a worker finds the work by itself');
    });
  };
