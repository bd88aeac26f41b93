import { CHAT_FAULTS, type Fault, NO_FAULT, SUBMIT_FAULTS, SYNCHRONOUS_FAULTS } from './faults.ts';
import { createRandom, type Random } from './random.ts';
import type { Tenant } from './tenants.ts';

/** `task`: an asynchronous submit · `synchronous`: images/generations · `sleeper`: a task that outlives the run until the clock is put on. */
type JobKind = 'task' | 'synchronous' | 'chat' | 'sleeper';

/** One job of the load, all of it decided by the seed. */
export interface PlannedJob {
  /** Its number, from 1; stands in the prompt and in the metadata. */
  readonly n: number;
  readonly kind: JobKind;
  readonly tenant: Tenant;
  /** The batch that it is a line of; undefined: it is sent by itself. */
  readonly batch: number | undefined;
  /** When it, or its batch, is sent, ms after the start. */
  readonly atMs: number;
  /** Its Idempotency-Key. */
  readonly key: string;
  /** Sent to both APIs at the same time, as a client would that lost patience. */
  readonly twice: boolean;
  readonly fault: Fault;
  readonly onUnknown: 'fail' | 'resubmit';
  readonly prompt: string;
  readonly webhook: { readonly events?: readonly string[] } | undefined;
  readonly expiresInS: number;
  /** The caller changes its mind so long after the job was accepted, ms. */
  readonly cancelAfterMs: number | undefined;
}

/** The task of a sleeper takes longer than any run and is over before the emulator's clock has gone two hours on. */
const SLEEP = '[[task-ms=5400000]]';
const SLEEPERS = 4;

const BATCHES = 3;

/** Below this a run has no time for what lasts a minute: sleepers, and jobs that expire. */
const LONG_MS = 45_000;
/** Below this it has none for calls that may not be repeated and are believed for five minutes after a kill. */
const VERY_LONG_MS = 120_000;

/** The number of the job whose prompt this is. */
export const numberOf = (prompt: string): number => Number(/^chaos job (\d+)\./.exec(prompt)?.[1] ?? 0);

/** The load of a run. */
export function planJobs(o: { seed: string; jobs: number; troubleMs: number }): PlannedJob[] {
  const random = createRandom(`${o.seed}/jobs`);
  const tenants = createRandom(`${o.seed}/tenants`);
  const long = o.troubleMs >= LONG_MS;
  const veryLong = o.troubleMs >= VERY_LONG_MS;
  return Array.from({ length: o.jobs }, (_, i) => {
    const kind = long && i < SLEEPERS ? 'sleeper' : drawKind(random, veryLong);
    const fault = drawFault(random, kind);
    const n = i + 1;
    const batch = kind !== 'sleeper' && random.chance(0.3) ? random.int(0, BATCHES - 1) : undefined;
    return {
      n,
      kind,
      tenant: drawTenant(tenants, batch),
      batch,
      atMs: batch === undefined ? drawTime(random, o.troubleMs) : Math.floor((o.troubleMs * (batch + 0.5)) / BATCHES),
      key: `chaos-${o.seed}-${n}`,
      twice: random.chance(0.1),
      fault,
      onUnknown: drawOnUnknown(random, kind, veryLong),
      prompt: `chaos job ${n}. ${kind === 'sleeper' ? SLEEP : fault.directive}`,
      webhook: drawWebhook(random),
      expiresInS: long && (kind === 'sleeper' ? i % 2 === 0 : random.chance(0.06)) ? 60 : 3600,
      cancelAfterMs: kind !== 'sleeper' && batch === undefined && random.chance(0.08) ? random.int(0, 15_000) : undefined,
    };
  });
}

/** All lines of a batch are of one tenant. */
function drawTenant(random: Random, batch: number | undefined): Tenant {
  const isThrift = batch === undefined ? random.chance(0.3) : batch === BATCHES - 1;
  return isThrift ? 'thrift' : 'acme';
}

/** A third of them in bursts, so that queues form. */
const drawTime = (random: Random, troubleMs: number): number =>
  Math.floor(random.chance(0.3) ? (troubleMs * random.int(0, 4)) / 5 : random.unit() * troubleMs * 0.9);

function drawKind(random: Random, veryLong: boolean): JobKind {
  const draw = random.unit();
  if (veryLong && draw < 0.04) return 'synchronous';
  return draw < 0.35 ? 'chat' : 'task';
}

function drawFault(random: Random, kind: JobKind): Fault {
  if (kind === 'sleeper') return NO_FAULT;
  return random.weighted({ task: SUBMIT_FAULTS, synchronous: SYNCHRONOUS_FAULTS, chat: CHAT_FAULTS }[kind]);
}

function drawOnUnknown(random: Random, kind: JobKind, veryLong: boolean): PlannedJob['onUnknown'] {
  if (kind === 'chat') return veryLong && random.chance(0.05) ? 'fail' : 'resubmit';
  return kind === 'task' && random.chance(0.15) ? 'resubmit' : 'fail';
}

function drawWebhook(random: Random): PlannedJob['webhook'] {
  const draw = random.unit();
  if (draw < 0.08) return undefined;
  return draw < 0.16 ? { events: ['job.succeeded'] } : {};
}

/** The body of `POST /v1/jobs`. */
export function bodyOf(job: PlannedJob, receiver: string): object {
  const common = {
    ...(job.webhook ? { webhook: { url: receiver, ...job.webhook } } : {}),
    metadata: { n: String(job.n) },
    priority: (['low', 'normal', 'normal', 'high'] as const)[job.n % 4],
    expires_in_s: job.expiresInS,
    on_unknown_submit: job.onUnknown,
  };
  if (job.kind === 'chat') {
    const input = { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: job.prompt }], stream: job.n % 3 === 0 };
    return { type: 'chat', input, ...common };
  }
  const input = { model: 'nano-banana-2', prompt: job.prompt, aspect_ratio: '4:3' };
  return { type: 'image', input, via: job.kind === 'synchronous' ? 'generations' : 'generate', ...common };
}
