import type { Work } from '@grsai-jobs/job-store';
import { MAX_CRASHES } from '@grsai-jobs/jobs';
import { atMost } from '../maintenance/at-most.ts';
import type { Kit } from '../stages/kit.ts';

/** Work that nobody nudged is found within this time. */
export const WORKS_EVERY_MS = 1000;
/** A round lets others have the slot after this long, however much is to be done. */
const ROUND_MS = 8000;
/** Rounds of one worker at a time: a slice may hang, in an object store that is away. */
export const WORK_ROUNDS = 3;
const AFTER_ERROR_MS = 10_000;
/** Work with which workers died is tried again so seldom: by then it may be another version that does it. */
const SET_ASIDE_MS = 3600_000;
/** A third of the lease. */
const HOLD_EVERY_MS = 10_000;

/** How a slice left its work: to go on from `cursor` (after `waitMs`), or done for good. */
export type Sliced = { done: true } | { done: false; cursor: unknown; waitMs?: number };

/**
 * Does one slice, in a few seconds at most. It may be done twice when its worker dies, so each part of it has to be
 * harmless the second time.
 */
export type DoSlice = (work: Work) => Promise<Sliced>;

/**
 * Goes on with long work (packages/job-store `works`), a slice of each in turn, so that no large piece keeps a small one
 * waiting. Safe in several workers: each piece is held by one.
 */
export function createWorkRound(kit: Kit, kinds: Readonly<Record<string, DoSlice>>): () => Promise<void> {
  async function slice(work: Work): Promise<void> {
    const doSlice = kinds[work.kind];
    if (doSlice === undefined)
      throw new Error(`this worker does not know work of the kind ${work.kind}; is it older than the API?`);
    const holding = setInterval(() => kit.store.works.hold(work, kit.clock.now()).catch(() => undefined), HOLD_EVERY_MS);
    const sliced = await doSlice(work).finally(() => clearInterval(holding));
    const now = kit.clock.now();
    await (sliced.done ? kit.store.works.done(work) : kit.store.works.putBack(work, sliced.cursor, now + (sliced.waitMs ?? 0)));
  }

  /** Whatever it is that ends workers, it must not end all of them, nor keep other work from being done. */
  async function isSetAside(work: Work): Promise<boolean> {
    if (work.lost === 0) return false;
    kit.metrics.crashes.inc({ kind: 'stalled', stage: 'maintain' });
    if (work.lost < MAX_CRASHES) return false;
    await kit.store.works.setAside(work, kit.clock.now() + SET_ASIDE_MS);
    kit.log.error(
      { event: 'work.crashed', work: work.id, lost: work.lost, again_in_ms: SET_ASIDE_MS },
      'workers died with this long work in their hands: it is set aside',
    );
    return true;
  }

  async function goOn(): Promise<void> {
    const started = kit.clock.now();
    while (kit.clock.now() - started < ROUND_MS && !kit.shutdown.stopping.aborted) {
      const work = await kit.store.works.take(kit.clock.now());
      if (work === null) return;
      if (await isSetAside(work)) continue;
      try {
        await slice(work);
      } catch (err) {
        kit.log.error({ event: 'work.failed', err, work: work.id }, 'a slice of long work failed; it is tried again');
        await kit.store.works.putBack(work, work.cursor, kit.clock.now() + AFTER_ERROR_MS);
      }
    }
  }

  return atMost(WORK_ROUNDS, goOn);
}
