import type { JobStore } from '@grsai-jobs/job-store';
import { isTerminal, type Job, type JobRecord, knowsLess, type Lease, modelAt, onModel, priceAt } from '@grsai-jobs/jobs';
import type { Clock } from '@grsai-jobs/runtime';
import { type PublishDeps, publishLetIn } from './publish.ts';

export interface ReassertDeps extends Pick<PublishDeps, 'producer' | 'log'> {
  store: {
    transitions: Pick<JobStore['transitions'], 'create' | 'commit'>;
    jobs: Pick<JobStore['jobs'], 'read'>;
    batches: Pick<JobStore['batches'], 'records'>;
    erase: Pick<JobStore['erase'], 'wasAsked'>;
    suspects: Pick<JobStore['suspects'], 'release'>;
  };
  clock: Clock;
}

/**
 * `known`: the record knows the call, and more. `open`: it has the call in flight. `told`: it has from now on. `lost`: there is no record, and none
 * can be made.
 */
export type Reasserted = 'known' | 'open' | 'told' | 'lost';

/** A record changes a few times in a second at most. */
const TRIES = 8;
/** A call whose time is nearly over is believed to be in flight for so long more. */
const LEAST_LEASE_MS = 5000;

type Held = JobRecord & { lease: Lease };

/**
 * Tells a record that has forgotten it of a paid call, by whoever holds its lease: after a failover. The call is then in flight as before, so
 * that nobody makes it again, and its end can be written. Harmless where nothing was forgotten.
 */
export async function reassert(d: ReassertDeps, job: Held): Promise<Reasserted> {
  for (let n = 0; n < TRIES; n += 1) {
    const record = await recordOf(d, job);
    if (record === null) {
      if (n === 0 && (await restore(d, job))) continue;
      return 'lost';
    }
    if (!knowsLess(record, job)) return isOpen(record, job) ? 'open' : 'known';
    if (await tell(d, record, job)) return 'told';
  }
  return 'known';
}

/** The record of a line is there also where a failover has forgotten the commit of its batch. */
async function recordOf(d: ReassertDeps, { id, batch_id }: Held): Promise<Job | null> {
  if (batch_id === null) return await d.store.jobs.read(id);
  return (await d.store.batches.records([id]))[0] ?? null;
}

const isOpen = (record: Job, { lease }: Held): boolean =>
  record.stage === 'submitting' && record.lease?.token === lease.token && !isTerminal(record.status);

async function tell(
  d: ReassertDeps,
  record: Job,
  { doc, lease, attempts, attempts_used, started_at, cost }: Held,
): Promise<boolean> {
  // The run that the call belongs to is forgotten as well.
  if (isTerminal(record.status)) {
    await d.store.transitions.commit(record, { kind: 'reopen', to: 'queued' });
    return false;
  }
  const now = d.clock.now();
  const model = modelAt(doc);
  const told = await d.store.transitions.commit(record, {
    kind: 'reassert_call',
    token: lease.token,
    heldMs: Math.max(0, now - lease.acquired_at),
    leftMs: Math.max(LEAST_LEASE_MS, lease.expires_at - now),
    attempts,
    attemptsUsed: attempts_used,
    startedAt: started_at,
    cost,
    ...(model === modelAt(record.doc) ? {} : { model }),
  });
  if (told.kind !== 'ok') return false;
  await publishLetIn(d, told.letIn);
  await d.store.suspects.release([record.id]);
  d.log.warn(
    { event: 'job.reasserted', job_id: record.id, found: record.status, run: record.run },
    'a failover had forgotten a paid call',
  );
  return true;
}

/** A job that is gone with its paid call in flight is made once more, unless it was deleted. A line is not: its batch is gone with it. */
async function restore(d: ReassertDeps, { id, tenant, doc, price, key_id, created_at, batch_id }: Held): Promise<boolean> {
  if (batch_id !== null || (await d.store.erase.wasAsked(id, tenant))) return false;
  const created = await d.store.transitions.create({
    ...{ id, tenant, doc: onModel(doc, 0), price: priceAt({ doc, price }, 0) },
    ...{ keyId: key_id, createdAt: created_at },
  });
  d.log.warn(
    { event: 'job.restored', job_id: id, tenant, made: created.kind },
    'a failover had forgotten a job whose call is paid for',
  );
  return created.kind === 'ok';
}
