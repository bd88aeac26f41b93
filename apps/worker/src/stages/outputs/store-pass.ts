import { type GrsaiApi, GrsaiError, type TaskState } from '@grsai-jobs/grsai';
import {
  type Canceling,
  isSettled,
  type JobRecord,
  needsTask,
  refreshed,
  refusedAgain,
  type Storing,
  type UnstoredOutput,
} from '@grsai-jobs/jobs';
import type { Backoff, Clock, SliceQueue } from '@grsai-jobs/runtime';
import type { StorageHealth } from '../../pauses/storage-health.ts';
import type { Shutdown } from '../../runner/until-taken.ts';
import { type DownloadDeps, storeBytes, storeLink, type Trouble, troubleOf } from './store-output.ts';
import { unstoredOf } from './unstored.ts';

/** So many passing troubles: the task is asked whether it has another link. */
const SUSPECT_AFTER = 3;
/** So shortly before the links die the task is asked too. */
const LAST_CHANCE_MS = 60_000;

export interface StoreDeps extends DownloadDeps {
  clock: Clock;
  backoff: Backoff;
  shutdown: Pick<Shutdown, 'stopping'>;
  grsai: Pick<GrsaiApi, 'images'>;
  storage: StorageHealth;
  slices: SliceQueue;
}

/** A job whose result is being stored, also one that is to be canceled. */
export type StoringJob = Storing | Extract<Canceling, { stage: 'storing' }>;

/** What one pass over the outputs of a job came to. */
export interface Pass {
  outputs: readonly UnstoredOutput[];
  /** The worst that happened: our own store before a passing trouble before a refusal. */
  trouble?: Trouble | undefined;
  /** The task was asked, and gave no outputs. */
  unreadable: boolean;
  /** A link was named that was not known. */
  fresh: boolean;
  /** How soon something is to be done again; left out when nothing is. */
  waitMs?: number | undefined;
  /** Whether any output was tried. */
  tried: boolean;
}

/** What became of one output in a pass. Without trouble or a wait it is settled. */
interface OutputResult {
  output: UnstoredOutput;
  tried?: true;
  trouble?: Trouble;
  waitMs?: number;
}

type Answer = TaskState | GrsaiError | undefined;

/** Tries each output that is due, one after the other. What was stored before is not touched. */
export async function passOver(d: StoreDeps, job: StoringJob): Promise<Pass> {
  const startedAt = d.clock.now();
  const before = job.unstored.links ?? [];
  const answer = mustAsk(job, startedAt) ? await askTask(d, job) : undefined;
  const named = answer === undefined || answer instanceof GrsaiError ? [] : unstoredOf(answer.outputs);
  const outputs = refreshed(before, named);
  const isFresh = outputs.map(({ url }, index) => url !== undefined && url !== before[index]?.url);
  const results: OutputResult[] = [];
  for (const [index, output] of outputs.entries()) {
    // A store that took nothing takes nothing else either.
    const away = results.some(({ trouble }) => trouble?.kind === 'ours');
    const due = isFresh[index] || (output.refused?.next ?? 0) <= d.clock.now();
    if (isSettled(output) || away) results.push({ output });
    else if (due) results.push(await tryOutput(d, job, { index, output, answer, startedAt }));
    else results.push({ output, waitMs: (output.refused?.next ?? 0) - d.clock.now() });
  }
  const trouble = worstOf(results);
  if (trouble?.kind === 'ours' && !d.shutdown.stopping.aborted) d.storage.failed(trouble.reason);
  const waits = results.flatMap(({ waitMs }) => waitMs ?? []);
  return {
    outputs: results.map(({ output }) => output),
    trouble,
    unreadable: answer instanceof GrsaiError,
    fresh: isFresh.includes(true),
    waitMs: waits.length === 0 ? undefined : Math.max(0, Math.min(...waits)),
    tried: results.some(({ tried }) => tried),
  };
}

const WORST = ['ours', 'passing', 'refused'] as const satisfies readonly Trouble['kind'][];

const worstOf = (results: readonly OutputResult[]): Trouble | undefined =>
  WORST.flatMap((kind) => results.find(({ trouble }) => trouble?.kind === kind)?.trouble ?? [])[0];

export const failedStores = (job: JobRecord): number =>
  job.attempts.filter(({ run, stage }) => run === job.run && stage === 'store').length;

/** Whether the task is asked in front of this pass: for an output that stands in its answer, or for a living link. */
function mustAsk(job: StoringJob, now: number): boolean {
  const { unstored } = job;
  if (unstored.links?.some(needsTask)) return true;
  const passing = job.attempts.filter(
    ({ run, stage, error_code }) => run === job.run && stage === 'store' && error_code !== 'storage_failed',
  );
  return passing.length >= SUSPECT_AFTER || (failedStores(job) > 0 && now + LAST_CHANCE_MS >= unstored.dies_at);
}

/** What the task says of its outputs now; an error when that could not be read, `undefined` when there is no task. */
async function askTask(d: StoreDeps, job: JobRecord): Promise<Answer> {
  if (job.task === null) return undefined;
  try {
    const task = await d.grsai.images.result(job.task.id, { base: job.task.base, signal: d.shutdown.stopping });
    return task.status === 'succeeded' ? task : { ...task, outputs: [] };
  } catch (error) {
    if (error instanceof GrsaiError) return error;
    throw error;
  }
}

async function tryOutput(
  d: StoreDeps,
  job: JobRecord,
  o: { index: number; output: UnstoredOutput; answer: Answer; startedAt: number },
): Promise<OutputResult> {
  const { output } = o;
  const result = await storeOutput(d, job, o);
  if (result.kind === 'full') return { output, waitMs: result.ms };
  if (result.kind === 'stored') {
    d.storage.stored();
    return { output: { ...(output.url === undefined ? {} : { url: output.url }), stored: result.image }, tried: true };
  }
  const { trouble } = result;
  if (trouble.kind !== 'refused') return { output, tried: true, trouble, waitMs: d.backoff(failedStores(job)) };
  const now = d.clock.now();
  const next = refusedAgain(output, { reason: trouble.reason, startedAt: o.startedAt, now });
  return { output: next, tried: true, trouble, ...(next.refused === undefined ? {} : { waitMs: next.refused.next - now }) };
}

type Stored = Awaited<ReturnType<typeof storeLink>> | { kind: 'failed'; trouble: Trouble };

async function storeOutput(
  d: StoreDeps,
  job: JobRecord,
  { index, output, answer }: { index: number; output: UnstoredOutput; answer: Answer },
): Promise<Stored> {
  const signal = d.shutdown.stopping;
  try {
    // Some files have no end of their own: one that stays so is kept.
    const asItIs = failedStores(job) >= SUSPECT_AFTER;
    if (output.url !== undefined) return await storeLink(d, job, { index, url: output.url, asItIs }, signal);
    if (answer instanceof GrsaiError)
      return { kind: 'failed', trouble: { kind: 'passing', code: answer.code, status: answer.status, reason: answer.message } };
    const inline = answer?.outputs[index];
    if (inline?.kind === 'inline')
      return { kind: 'stored', image: await storeBytes(d, job, { index, bytes: inline.bytes }, signal) };
    return { kind: 'failed', trouble: { kind: 'refused', code: 'no_link', reason: 'the task no longer names this output' } };
  } catch (error) {
    return { kind: 'failed', trouble: knownTrouble(error) };
  }
}

/** An error that no stage handles is thrown on, and counts as a crash. */
export function knownTrouble(error: unknown): Trouble {
  const trouble = troubleOf(error);
  if (trouble === undefined) throw error;
  return trouble;
}
