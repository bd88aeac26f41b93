import { type ChangeDeps, changeJob, holdSuspects } from '@grsai-jobs/job-actions';
import type { JobStore } from '@grsai-jobs/job-store';
import { type Job, jobError, messageOf } from '@grsai-jobs/jobs';
import type { Producer } from '@grsai-jobs/queue';
import type { Clock } from '@grsai-jobs/runtime';
import pMap from 'p-map';

/** What is decided about jobs that may have been paid for: they run, they end as `submit_unknown`, or more of them are held. */
export const SUSPECT_ACTIONS = ['run', 'fail', 'hold'] as const;
type SuspectAction = (typeof SUSPECT_ACTIONS)[number];

/** A decision without a list of jobs is about so many of them at once. */
export const DECIDED_AT_ONCE = 500;
/** Each of them takes some round trips, so that one after the other would keep an operator waiting for seconds. */
const AT_ONCE = 20;

/** Which of them: by their ids, or the first ones, or the first of one type. */
interface MeantSuspects {
  ids?: readonly string[] | undefined;
  type?: Job['doc']['type'] | undefined;
}

/** `left`: how many are held yet, of the type that was asked for. */
export type DecideSuspects = (action: SuspectAction, meant?: MeantSuspects) => Promise<{ decided: number; left: number }>;

/** Decides on jobs that are held. One that is not, or has ended meanwhile, is passed over. */
export function createDecideSuspects(
  d: ChangeDeps & {
    store: {
      suspects: JobStore['suspects'];
      jobs: Pick<JobStore['jobs'], 'read' | 'heads' | 'each'>;
    };
    producer: Pick<Producer, 'wake'>;
    clock: Clock;
  },
): DecideSuspects {
  async function decide(id: string, action: 'run' | 'fail'): Promise<boolean> {
    const job = await d.store.jobs.read(id);
    if (job === null || !isUndecided(job)) {
      await d.store.suspects.release([id]);
      return false;
    }
    if (action === 'fail') {
      const error = jobError('submit_unknown', job.stage ?? 'queued');
      const ended = await changeJob(d, job, (now) =>
        isUndecided(now) ? { kind: 'finish', status: 'failed', error } : { refuse: 'changed' },
      );
      // Released it would run.
      if (ended.kind === 'busy') return false;
    }
    await d.store.suspects.release([id]);
    const { queue, step } = messageOf(job);
    // Its entry comes again by itself within ten minutes.
    if (action === 'run') await d.producer.wake(queue, { id, step }).catch(() => undefined);
    return true;
  }

  /** Those of a type that wait longest, and how many more there are. */
  async function ofType(type: Job['doc']['type']): Promise<{ ids: string[]; more: number }> {
    const ids: string[] = [];
    for (let skip = 0; ; skip += DECIDED_AT_ONCE) {
      const page = (await d.store.suspects.list({ skip, limit: DECIDED_AT_ONCE })).map(({ id }) => id);
      for await (const job of d.store.jobs.each(page)) if (job?.doc.type === type) ids.push(job.id);
      if (page.length < DECIDED_AT_ONCE)
        return { ids: ids.slice(0, DECIDED_AT_ONCE), more: Math.max(0, ids.length - DECIDED_AT_ONCE) };
    }
  }

  return async (action, { ids, type } = {}) => {
    if (action === 'hold') return { decided: await holdSuspects(d), left: await d.store.suspects.count() };
    const typed = type === undefined ? undefined : await ofType(type);
    const held = ids ?? typed?.ids ?? (await d.store.suspects.list({ skip: 0, limit: DECIDED_AT_ONCE })).map(({ id }) => id);
    const known = new Set(await d.store.suspects.heldOf(held));
    const undecided = held.filter((id) => known.has(id));
    const each = await pMap(undecided, (id) => decide(id, action), { concurrency: AT_ONCE });
    const decided = each.filter((was) => was).length;
    return { decided, left: typed?.more ?? (await d.store.suspects.count()) };
  };
}

/** It waits for its call, or that call was in flight when what stands here was saved. */
const isUndecided = ({ status, stage }: Job): boolean => status === 'queued' || (status === 'running' && stage === 'submitting');
