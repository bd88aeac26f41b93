import { type JobStore, LIST_OPERATION, LOOK_FOR_RESULTS, RETRY_OPERATION } from '@grsai-jobs/job-store';
import { type Job, TASK_LIFE_MS } from '@grsai-jobs/jobs';
import type { Clock } from '@grsai-jobs/runtime';
import type { NudgeOperations } from './nudge-operations.ts';

type PaidQueue = 'call' | 'submit';

/** How many jobs stood so in what was restored. */
interface FoundInBackup {
  /** They waited for their call, or it was in flight. All of them are held now. */
  held: { images: number; chats: number };
  /** Of these, lines of batches. */
  held_lines: number;
  /** Their task is asked for; where it fails they are held as well. */
  asked: number;
  /** Their task is older than upstream keeps one, so they end as `upstream_timeout`. */
  too_old: number;
  /** Their results are stored under the same keys. */
  storing: number;
  /** They end as canceled. */
  canceling: number;
  /** Webhooks that had not been delivered; each is sent with the id that it had. */
  webhooks: number;
  /** Retries of batches and bulk actions that would run jobs again; they were called off. */
  called_off: { retries: number; bulk_actions: number };
}

/** @param at when the backup was made, in ms since 1970. */
export type Restored = (at: number) => Promise<FoundInBackup>;

type State = 'held' | 'asked' | 'too_old' | 'storing' | 'canceling';

interface Found {
  state: State;
  type: Job['doc']['type'];
  isLine: boolean;
}

const PAGE = 500;
const PAID: readonly PaidQueue[] = ['call', 'submit'];
const WHY = 'Redis was restored, and it is being found out what may have been paid for since. If this stays, order it once more';

interface Deps {
  store: Pick<JobStore, 'suspects' | 'queueSettings' | 'pauses' | 'operations' | 'batches' | 'bulk' | 'deliveries'> & {
    jobs: Pick<JobStore['jobs'], 'each'>;
  };
  nudge: NudgeOperations;
  clock: Clock;
}

/**
 * After a restore from a backup. Nobody knows what was paid for since it was made, so nothing that waits is called: each job whose call may
 * have been made is held for a decision, and a worker looks in the bucket for what it may have brought. The queues that pay are closed
 * until all are held. A job with a task is held when that has failed.
 */
export function createRestored(d: Deps): Restored {
  const { store, clock } = d;

  function stateOf(job: Job): State {
    if (job.status === 'canceling') return 'canceling';
    if (job.task !== null && job.stage === 'generating')
      return clock.now() < job.task.submitted_at + TASK_LIFE_MS ? 'asked' : 'too_old';
    return job.stage === 'storing' ? 'storing' : 'held';
  }

  /** Lines of batches that had just been committed: not all are in the list of what is due. */
  async function listAll(): Promise<void> {
    for (const id of await store.operations.subjects(LIST_OPERATION)) {
      const batch = await store.batches.read(id);
      if (batch === null) continue;
      for (let at = 0; ; at += PAGE) {
        const ids = await store.batches.jobIds(id, at, PAGE);
        await store.batches.list(batch, ids);
        if (ids.length < PAGE) break;
      }
    }
  }

  /** Jobs come into the list while it is read, so it is read until there is nothing new in it. */
  async function holdAll(): Promise<Found[]> {
    const seen = new Map<string, Found>();
    for (let added = 1; added > 0; ) {
      added = 0;
      for await (const ids of store.suspects.liveIds(PAGE)) {
        const held: string[] = [];
        for await (const job of store.jobs.each(ids.filter((id) => !seen.has(id)))) {
          if (job === null) continue;
          const found = { state: stateOf(job), type: job.doc.type, isLine: job.batch_id !== null };
          seen.set(job.id, found);
          added += 1;
          if (found.state === 'held') held.push(job.id);
        }
        await store.suspects.hold(held, clock.now());
      }
    }
    return [...seen.values()];
  }

  /** What runs jobs again may have run them already. */
  async function callOff(): Promise<FoundInBackup['called_off']> {
    const batches = await store.operations.subjects(RETRY_OPERATION);
    for (const batch of batches) await store.operations.callOff(RETRY_OPERATION, batch);
    let bulks = 0;
    for (let after: Parameters<JobStore['bulk']['page']>[0]['after'] = null; ; ) {
      const { actions, next } = await store.bulk.page({ after, limit: PAGE });
      for (const { id, action, status } of actions)
        if (action === 'requeue' && status === 'running' && (await store.bulk.abort(id, clock.now()))) bulks += 1;
      if (next === null) return { retries: batches.length, bulk_actions: bulks };
      after = next;
    }
  }

  /** Closes the queues that pay, those that no operator has closed. Answers how they are opened again. */
  async function close(): Promise<() => Promise<void>> {
    const pauses = await store.pauses.all();
    const open = PAID.filter((queue) => !pauses[queue]?.some(({ reason, detail }) => reason === 'operator' && detail !== WHY));
    for (const queue of open) await store.queueSettings.change(queue, { paused: WHY });
    return async () => {
      for (const queue of open) await store.queueSettings.change(queue, { paused: null });
    };
  }

  return async (at) => {
    const reopen = await close();
    await store.suspects.restored(clock.now());
    const called_off = await callOff();
    await listAll();
    const jobs = await holdAll();
    await store.operations.addAgain({ kind: LOOK_FOR_RESULTS, subject: 'all', order: { at }, at: clock.now() });
    await reopen();
    d.nudge();
    const count = (state: State, type?: Found['type']) =>
      jobs.filter((job) => job.state === state && (type === undefined || job.type === type)).length;
    return {
      held: { images: count('held', 'image'), chats: count('held', 'chat') },
      ...{
        held_lines: jobs.filter(({ state, isLine }) => state === 'held' && isLine).length,
        asked: count('asked'),
        too_old: count('too_old'),
        storing: count('storing'),
        canceling: count('canceling'),
      },
      webhooks: await store.deliveries.pendingCount(),
      called_off,
    };
  };
}
