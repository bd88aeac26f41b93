import { type Grsai, GrsaiError, type TaskState } from '@grsai-jobs/grsai';
import {
  isSettled,
  type JobRecord,
  needsTask,
  type Pending,
  type PendingOutput,
  refreshed,
  refusedAgain,
} from '@grsai-jobs/jobs';
import type { StorageHealth } from '../pauses/storage-health.ts';
import type { Kit } from './kit.ts';
import { pendingOf } from './poll.ts';
import { type DownloadKit, storeBytes, storeLink, type Trouble, troubleOf } from './store-output.ts';

/** So many passing troubles: the task is asked whether it has another link. */
const SUSPECT_AFTER = 3;
/** So shortly before the links die the task is asked too. */
const LAST_CHANCE_MS = 60_000;

export interface StoreKit extends Kit, DownloadKit {
  grsai: Pick<Grsai, 'images'>;
  storage: StorageHealth;
}

/** What one pass over the outputs of a job came to. */
export interface Pass {
  outputs: readonly PendingOutput[];
  /** The worst that happened: our own store before a passing trouble before a refusal. */
  trouble?: Trouble | undefined;
  /** The task was asked, and did not tell. */
  unreadable: boolean;
  /** A link was named that was not known. */
  fresh: boolean;
  /** How soon something is to be done again; left out when nothing is. */
  waitMs?: number | undefined;
  /** Whether any output was tried. */
  tried: boolean;
}

/** What became of one output in a pass. Without a trouble or a wait it is settled. */
interface Step {
  output: PendingOutput;
  tried?: true;
  trouble?: Trouble;
  waitMs?: number;
}

type Answer = TaskState | GrsaiError | undefined;

/** Tries each output that is due, one after the other. What was stored before is not touched. */
export async function passOver(kit: StoreKit, record: JobRecord, pending: Pending): Promise<Pass> {
  const startedAt = kit.clock.now();
  const before = pending.links ?? [];
  const answer = mustAsk(record, pending, startedAt) ? await askTask(kit, record) : undefined;
  const named = answer === undefined || answer instanceof GrsaiError ? [] : pendingOf(answer.outputs);
  const outputs = refreshed(before, named);
  const isFresh = outputs.map(({ url }, index) => url !== undefined && url !== before[index]?.url);
  const steps: Step[] = [];
  for (const [index, output] of outputs.entries()) {
    // A store that took nothing takes nothing else either.
    const away = steps.some(({ trouble }) => trouble?.kind === 'ours');
    const due = isFresh[index] || (output.refused?.next ?? 0) <= kit.clock.now();
    if (isSettled(output) || away) steps.push({ output });
    else if (due) steps.push(await tryOutput(kit, record, { index, output, answer, startedAt }));
    else steps.push({ output, waitMs: (output.refused?.next ?? 0) - kit.clock.now() });
  }
  const trouble = worstOf(steps);
  if (trouble?.kind === 'ours' && !kit.shutdown.stopping.aborted) kit.storage.failed(trouble.reason);
  const waits = steps.flatMap(({ waitMs }) => waitMs ?? []);
  return {
    outputs: steps.map(({ output }) => output),
    trouble,
    unreadable: answer instanceof GrsaiError,
    fresh: isFresh.includes(true),
    waitMs: waits.length === 0 ? undefined : Math.max(0, Math.min(...waits)),
    tried: steps.some(({ tried }) => tried),
  };
}

const WORST = ['ours', 'passing', 'refused'] as const satisfies readonly Trouble['kind'][];

const worstOf = (steps: readonly Step[]): Trouble | undefined =>
  WORST.flatMap((kind) => steps.find(({ trouble }) => trouble?.kind === kind)?.trouble ?? [])[0];

export const failedStores = (record: JobRecord): number =>
  record.attempts.filter(({ run, stage }) => run === record.run && stage === 'store').length;

/** Whether the task is asked in front of this pass: for an output that stands in its answer, or for a living link. */
function mustAsk(record: JobRecord, pending: Pending, now: number): boolean {
  if (pending.links?.some(needsTask)) return true;
  const passing = record.attempts.filter(
    ({ run, stage, error_code }) => run === record.run && stage === 'store' && error_code !== 'storage_failed',
  );
  return passing.length >= SUSPECT_AFTER || (failedStores(record) > 0 && now + LAST_CHANCE_MS >= pending.dies_at);
}

/** What the task says of its outputs now; an error when that could not be read, `undefined` when there is no task. */
async function askTask(kit: StoreKit, record: JobRecord): Promise<Answer> {
  if (record.task_id === null || record.base === null) return undefined;
  try {
    const task = await kit.grsai.images.result(record.task_id, { base: record.base, signal: kit.shutdown.stopping });
    return task.status === 'succeeded' ? task : { ...task, outputs: [] };
  } catch (error) {
    if (error instanceof GrsaiError) return error;
    throw error;
  }
}

async function tryOutput(
  kit: StoreKit,
  record: JobRecord,
  o: { index: number; output: PendingOutput; answer: Answer; startedAt: number },
): Promise<Step> {
  const { output } = o;
  const result = await storeOutput(kit, record, o);
  if (result.kind === 'full') return { output, waitMs: result.ms };
  if (result.kind === 'stored') {
    kit.storage.stored();
    return { output: { ...(output.url === undefined ? {} : { url: output.url }), stored: result.image }, tried: true };
  }
  const { trouble } = result;
  if (trouble.kind !== 'refused') return { output, tried: true, trouble, waitMs: kit.backoff(failedStores(record)) };
  const now = kit.clock.now();
  const next = refusedAgain(output, { reason: trouble.reason, startedAt: o.startedAt, now });
  return { output: next, tried: true, trouble, ...(next.refused === undefined ? {} : { waitMs: next.refused.next - now }) };
}

type Stored = Awaited<ReturnType<typeof storeLink>> | { kind: 'failed'; trouble: Trouble };

async function storeOutput(
  kit: StoreKit,
  record: JobRecord,
  { index, output, answer }: { index: number; output: PendingOutput; answer: Answer },
): Promise<Stored> {
  const signal = kit.shutdown.stopping;
  try {
    if (output.url !== undefined) return await storeLink(kit, record, { index, url: output.url }, signal);
    if (answer instanceof GrsaiError)
      return { kind: 'failed', trouble: { kind: 'passing', code: answer.code, status: answer.status, reason: answer.message } };
    const inline = answer?.outputs[index];
    if (inline?.kind === 'inline')
      return { kind: 'stored', image: await storeBytes(kit, record, { index, bytes: inline.bytes }, signal) };
    return { kind: 'failed', trouble: { kind: 'refused', code: 'no_link', reason: 'the task no longer names this output' } };
  } catch (error) {
    return { kind: 'failed', trouble: knownTrouble(error) };
  }
}

/** What no stage means to throw goes on to whoever counts crashes. */
export function knownTrouble(error: unknown): Trouble {
  const trouble = troubleOf(error);
  if (trouble === undefined) throw error;
  return trouble;
}
