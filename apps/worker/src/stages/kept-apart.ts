import type { FreeStage } from '../runner/decision.ts';

/** From so many crashes of its run on a job is alone: its neighbors may have been killed by it, or it by one of them. */
const SUSPECT_AFTER = 2;
/** When an entry comes again that had to let another go first. */
const AGAIN_MS = 500;
/** For so long others are held back for a job that has to be alone and has not come again. */
const HELD_MS = 10_000;

/**
 * A stage in which a job whose process has died twice is worked on alone in its process: what kills a process then kills nobody else, and what
 * was only beside it is not given up with it. Others go back to the queue meanwhile, so that they are not there when the process dies.
 *
 * @param now ms of a clock that never goes back
 */
export function keptApart<J extends { id: string; crashes: number }>(stage: FreeStage<J>, now: () => number): FreeStage<J> {
  let working = 0;
  let isAlone = false;
  let next = { id: '', until: 0 };

  const isSuspect = (job: J) => job.crashes >= SUSPECT_AFTER;

  /** Whether this job may be worked on now. One that has to be alone is the next, once it is here. */
  function mayBegin(job: J): boolean {
    const isNext = now() >= next.until || next.id === job.id;
    if (isAlone || !isNext) return false;
    if (!isSuspect(job)) return true;
    next = { id: job.id, until: now() + HELD_MS };
    return working === 0;
  }

  return {
    ...stage,
    async decide(job) {
      if (!mayBegin(job)) return { entry: { waitMs: AGAIN_MS } };
      working += 1;
      isAlone = isSuspect(job);
      if (isAlone) next = { id: '', until: 0 };
      try {
        return await stage.decide(job);
      } finally {
        working -= 1;
        isAlone = false;
      }
    },
  };
}
