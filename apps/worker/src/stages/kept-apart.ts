import type { FreeStage } from '../runner/decision.ts';

/** From so many crashes of its run on a job is alone: its neighbors may have been killed by it, or it by one of them. */
const SUSPECT_AFTER = 2;
/** When an entry comes again that had to let another go first, and that of a job that is not the next to be alone. */
const AGAIN_MS = 500;
const LATER_MS = 5000;
/** For so long others are held back for a job that has to be alone and has not come again; it may be in another process by now. */
const HELD_MS = 3000;
/** What kills a process does it early: from then on others are worked on beside it. */
const ALONE_MS = 20_000;
/** After one was alone the others have so long before the next one is, so that many of them hold up nobody for long. */
const OTHERS_MS = 5000;

/**
 * A stage in which a job whose process has died twice is worked on alone in its process: what kills a process then kills nobody else, and what
 * was only beside it is not given up with it. Others go back to the queue meanwhile, so that they are not there when the process dies.
 *
 * @param now ms of a clock that never goes back
 */
export function keptApart<J extends { id: string; crashes: number }>(stage: FreeStage<J>, now: () => number): FreeStage<J> {
  let working = 0;
  let aloneUntil = 0;
  let othersUntil = 0;
  let next = { id: '', until: 0 };

  const isSuspect = (job: J) => job.crashes >= SUSPECT_AFTER;
  const isNext = ({ id }: J) => next.id === id || now() >= next.until;

  /** Whether this job may be worked on now; else when its entry comes again. One that has to be alone is the next, once it is here. */
  function mayBegin(job: J): true | number {
    if (now() < aloneUntil || !isNext(job)) return isSuspect(job) ? LATER_MS : AGAIN_MS;
    if (!isSuspect(job)) return true;
    if (now() < othersUntil) return LATER_MS;
    next = { id: job.id, until: now() + HELD_MS };
    return working === 0 || AGAIN_MS;
  }

  return {
    ...stage,
    async decide(job) {
      const may = mayBegin(job);
      if (may !== true) return { entry: { waitMs: may } };
      working += 1;
      if (isSuspect(job)) [aloneUntil, next] = [now() + ALONE_MS, { id: '', until: 0 }];
      try {
        return await stage.decide(job);
      } finally {
        working -= 1;
        if (isSuspect(job)) [aloneUntil, othersUntil] = [0, now() + OTHERS_MS];
      }
    },
  };
}
