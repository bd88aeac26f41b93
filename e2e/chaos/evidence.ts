import { createHash } from 'node:crypto';
import type { LedgerTask, Submit } from '@grsai-jobs/grsai-emulator';
import type { LogLine, Received } from '@grsai-jobs/testkit';
import type { Caused } from './cause-troubles.ts';
import { type LimitChange, usageOf } from './change-limits.ts';
import type { JobRecord } from './eye.ts';
import { numberOf, type PlannedJob } from './plan-jobs.ts';
import type { Answer, Load, SentBatch } from './send-load.ts';
import type { Kept } from './supervisor.ts';
import type { Tenant } from './tenants.ts';
import type { World } from './world.ts';

/** One job, from the plan to its end. */
export interface JobEvidence {
  readonly planned: PlannedJob;
  readonly answers: readonly Answer[];
  /** Records whose metadata name this job; one, if all is well. */
  readonly records: readonly JobRecord[];
  readonly tasks: readonly LedgerTask[];
  readonly submits: readonly Submit[];
}

/** A batch, from the answers to its end. */
export interface BatchEvidence extends SentBatch {
  /** As the API shows it at the end; undefined when it showed nothing. */
  readonly view: BatchView | undefined;
  readonly rows: readonly { readonly line: number; readonly custom_id: string; readonly status: string }[];
}

interface BatchView {
  readonly id: string;
  readonly status: string;
  readonly round: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** An event of the shared stream. */
export interface StreamEvent {
  readonly at: number;
  readonly job: string;
  readonly seq: number;
  readonly type: string;
}

/** What a process said and how it went. */
export interface ProcessEvidence extends Pick<Kept, 'name' | 'unexpected' | 'failedStarts'> {
  readonly lines: readonly LogLine[];
  /** Exit code of the stop at the end; null when a signal ended it, undefined when it was not there. */
  readonly lastExit: number | null | undefined;
}

/** All that the checks look at; plain data, so that a check can be tested without a run. */
export interface Evidence {
  readonly calm: boolean;
  readonly jobs: readonly JobEvidence[];
  readonly batches: readonly BatchEvidence[];
  readonly troubles: readonly Caused[];
  readonly limits: readonly LimitChange[];
  /** What the API says that calls of each tenant came to. */
  readonly usage: Readonly<Record<Tenant, { readonly credits: number; readonly reserved: number }>>;
  readonly events: readonly StreamEvent[];
  readonly hooks: readonly Received[];
  /** Ids of events that the receiver answered with 200. */
  readonly receivedEvents: ReadonlySet<string>;
  readonly counters: Readonly<Record<string, number>>;
  readonly processes: readonly ProcessEvidence[];
  /** Task id → SHA-256 of the file that upstream served. */
  readonly served: ReadonlyMap<string, string>;
  /** Key → SHA-256 of the object in the bucket; undefined when it is not there. */
  readonly objects: ReadonlyMap<string, string | undefined>;
}

/** The one record of a job, or undefined; that there is one is a check of its own. */
export const recordOf = (job: JobEvidence): JobRecord | undefined => job.records[0];

/** Downloads what upstream serves for each task that succeeded, before its links die. */
export async function downloadServed(world: World): Promise<Map<string, string>> {
  const served = new Map<string, string>();
  for (const task of world.emulator.ledger.tasksOf({ status: 'succeeded' })) {
    const [name] = task.files;
    if (name === undefined) continue;
    const sha256 = await sha256Of(`${world.emulator.url}/file/${name}`);
    if (sha256 !== undefined) served.set(task.id, sha256);
  }
  return served;
}

/** SHA-256 of what is there; undefined when it is not. A fault of a file that nobody has fetched yet strikes once. */
async function sha256Of(url: string, tries = 3): Promise<string | undefined> {
  for (let n = 0; n < tries; n += 1) {
    const response = await fetch(url).catch(() => undefined);
    const bytes = response?.ok ? await response.arrayBuffer().catch(() => undefined) : undefined;
    if (bytes !== undefined && bytes.byteLength > 0) return createHash('sha256').update(Buffer.from(bytes)).digest('hex');
  }
  return undefined;
}

/** Stops both apps as an operator would, and gathers what they left. */
export async function gather(
  world: World,
  o: {
    calm: boolean;
    load: Load;
    troubles: readonly Caused[];
    limits: readonly LimitChange[];
    served: ReadonlyMap<string, string>;
  },
): Promise<Evidence> {
  const batches = await Promise.all(o.load.batches.map(async (batch) => await batchEvidence(world, batch)));
  const usage = await usageOf(world);
  const kept = [...world.apis, ...world.workers];
  const exits = await Promise.all(kept.map((process) => process.end()));
  const ids = await world.eye.recordIds();
  const known = new Set(['', ...o.load.batches.flatMap(({ answers }) => answers.flatMap(({ id }) => id ?? []))]);
  // What an API that died had written of a batch that it never accepted is hidden, and is erased in time.
  const records = (await Promise.all(ids.map((id) => world.eye.record(id)))).filter(({ batch }) => known.has(batch));
  const { tasks, submits } = world.emulator.ledger;
  const jobs = o.load.sent.map(({ job, answers }) => ({
    planned: job,
    answers,
    records: records.filter((record) => record.n === job.n),
    tasks: tasks.filter((task) => numberOf(task.prompt) === job.n),
    submits: submits.filter((submit) => numberOf(submit.prompt) === job.n),
  }));
  const keys = records.flatMap((record) => keysOf(record));
  const base = `${world.s3.endpoint}/${world.s3.bucket}/`;
  return {
    calm: o.calm,
    jobs,
    batches,
    troubles: o.troubles,
    limits: o.limits,
    usage,
    events: await world.eye.events(),
    hooks: Object.values(world.receivers).flatMap(({ received }) => received),
    receivedEvents: world.receivedEvents,
    counters: await world.eye.counters(),
    processes: kept.map(({ name, lives, unexpected, failedStarts }, i) => ({
      ...{ name, unexpected, failedStarts },
      lines: lives.flatMap((life) => life.lines),
      lastExit: exits[i]?.code,
    })),
    served: o.served,
    objects: new Map(await Promise.all(keys.map(async (key) => [key, await sha256Of(base + key, 1)] as const))),
  };
}

async function batchEvidence(world: World, batch: SentBatch): Promise<BatchEvidence> {
  const id = batch.answers.find((answer) => answer.id !== undefined)?.id;
  const [api] = world.clients[batch.jobs[0]?.tenant ?? 'acme'];
  if (id === undefined || api === undefined) return { ...batch, view: undefined, rows: [] };
  const view = await api.json<BatchView>('GET', `/v1/batches/${id}`);
  const rows = await (await api.send('GET', `/v1/batches/${id}/results`)).text();
  return { ...batch, view, rows: rows.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)])) };
}

function keysOf({ output }: JobRecord): string[] {
  if (output?.kind === 'images') return output.images.map((image) => image.key);
  return output?.kind === 'chat_file' ? [output.key] : [];
}
