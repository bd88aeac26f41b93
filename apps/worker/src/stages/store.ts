import type { JobStore } from '@grsai-jobs/job-store';
import {
  type Finish,
  isSettled,
  type Job,
  jobError,
  jsonPieces,
  keptOutput,
  lostMessage,
  type NewAttempt,
  nextLatePoll,
  TASK_LIFE_MS,
} from '@grsai-jobs/jobs';
import { textInSlices } from '@grsai-jobs/runtime';
import type { Decision, FreeStage } from '../runner/decision.ts';
import { attemptAt } from './attempt.ts';
import { outputKey, type Trouble } from './outputs/store-output.ts';
import { failedStores, knownTrouble, type Pass, passOver, type StoreDeps, type StoringJob } from './outputs/store-pass.ts';

/** How long a link that upstream gave after the first one died is tried. */
const FRESH_LINK_LIFE_MS = 5 * 60_000;

/** Clocks differ, and nobody knows from when upstream counts the two hours (upstream.md §10.1). */
const TASK_GRACE_MS = 5 * 60_000;

/** store: streams what was paid for into S3, for as long as its links live. */
export function createStoreStage(d: StoreDeps & { store: { jobs: Pick<JobStore['jobs'], 'read'> } }): FreeStage<StoringJob> {
  return {
    name: 'store',
    async find(entry) {
      const job = await d.store.jobs.read(entry.id);
      return job?.step === entry.step && isStoring(job) ? job : null;
    },
    decide: async (job) => await (job.unstored.completion === undefined ? storeOutputs : storeCompletion)(d, job),
  };
}

const isStoring = (job: Job): job is StoringJob => job.stage === 'storing';

async function storeOutputs(d: StoreDeps, job: StoringJob): Promise<Decision> {
  const startedAt = d.clock.now();
  return decide(d, job, startedAt, await passOver(d, job));
}

function decide(d: StoreDeps, job: StoringJob, startedAt: number, pass: Pass): Decision {
  if (d.shutdown.stopping.aborted && pass.trouble !== undefined) return { entry: { waitMs: 0 } };
  const { unstored } = job;
  const diesAt = pass.fresh ? Math.max(unstored.dies_at, startedAt + FRESH_LINK_LIFE_MS) : unstored.dies_at;
  const { waitMs } = pass;
  if (waitMs === undefined) return finish(d, job, pass, startedAt);
  if (!mayGoOn(d, job, pass, diesAt)) return finish(d, job, pass, startedAt, { notBefore: diesAt - waitMs });
  // That it waits for its host, and not for our store, is written once.
  if (!pass.tried && failedStores(job) > 0) return { entry: { waitMs } };
  return {
    transition: {
      kind: 'retry_storing',
      attempt: attemptOf(d, pass.tried ? pass.trouble : HOST_BUSY, startedAt, 'retry'),
      waitMs,
      ...(unstored.links === undefined ? {} : { unstored: { links: [...pass.outputs], dies_at: diesAt } }),
    },
    entry: { waitMs },
    ...reasonOf(pass.trouble),
  };
}

/** For the life of the links; and of the task, while it cannot be asked for others. */
function mayGoOn(d: StoreDeps, job: StoringJob, pass: Pass, diesAt: number): boolean {
  const now = d.clock.now();
  if (now + (pass.waitMs ?? 0) < diesAt) return true;
  return pass.unreadable && now < (job.task?.submitted_at ?? job.created_at) + TASK_LIFE_MS + TASK_GRACE_MS;
}

/** A completion too large for the record. */
async function storeCompletion(d: StoreDeps, job: StoringJob): Promise<Decision> {
  const startedAt = d.clock.now();
  const key = outputKey(d.keyPrefix, job, 0, 'json');
  try {
    const slices = d.slices.of(job.tenant);
    const stored = await d.objects.putBytes(key, await textInSlices(jsonPieces(job.unstored.completion), slices), {
      slices,
      contentType: 'application/json',
      signal: d.shutdown.stopping,
    });
    d.storage.stored();
    const attempt = attemptOf(d, undefined, startedAt, 'succeeded');
    const output = { kind: 'chat_file', key, ...stored } as const;
    return { transition: { kind: 'finish', status: 'succeeded', output, attempt }, entry: 'done' };
  } catch (error) {
    const trouble = knownTrouble(error);
    if (!d.shutdown.stopping.aborted) d.storage.failed(trouble.reason);
    const waitMs = d.backoff(failedStores(job));
    return decide(d, job, startedAt, { outputs: [], trouble, unreadable: false, fresh: false, waitMs, tried: true });
  }
}

const attemptOf = (d: StoreDeps, trouble: Trouble | undefined, startedAt: number, outcome: NewAttempt['outcome']): NewAttempt =>
  attemptAt('store', startedAt, d.clock.now(), trouble === undefined ? 'succeeded' : outcome, {
    ...(trouble === undefined ? {} : { code: trouble.code, status: trouble.status }),
  });

const reasonOf = (trouble: Trouble | undefined) => (trouble === undefined ? {} : { reason: trouble.reason });

/** It waits for its turn at its host. */
const HOST_BUSY: Trouble = { kind: 'passing', code: 'host_busy', reason: 'as many downloads as its host may have are under way' };

/** No download was possible at its host until its link died, or there is none at all. */
const NOT_TRIED: Trouble = { kind: 'passing', code: 'not_tried', reason: 'its link has died' };

/** Nothing is left to try: what could be kept is the result, and what could not is reported beside it or as the failure. */
function finish(d: StoreDeps, job: StoringJob, pass: Pass, startedAt: number, time: Pick<Finish, 'notBefore'> = {}): Decision {
  const over = pass.outputs.length > 0 && pass.outputs.every(isSettled);
  const trouble = pass.trouble ?? (over ? undefined : NOT_TRIED);
  const outputs = pass.outputs.map((each) => (isSettled(each) || !trouble ? each : { ...each, lost: trouble.reason }));
  const attempt = attemptOf(d, trouble, startedAt, 'failed');
  const output = keptOutput(outputs);
  const end = (more: object): Decision => ({
    transition: { kind: 'finish', status: 'failed', attempt, ...more },
    entry: 'done',
    ...reasonOf(trouble),
  });
  if (output !== null) return end({ status: 'succeeded', output });
  if (trouble?.kind === 'ours') return end({ ...time, error: jobError('storage_failed', job.stage) });
  const now = d.clock.now();
  const latePollMs = (nextLatePoll(now, now) ?? now) - now;
  return end({ ...time, error: jobError('upstream_result_lost', job.stage, { message: lostMessage(outputs) }), latePollMs });
}
