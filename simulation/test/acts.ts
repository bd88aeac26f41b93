import { createHash } from 'node:crypto';
import { endpointRef, type OpenAttempt } from '@grsai-jobs/job-store';
import type { Delivery, Job, JobDoc, Transition, UnstoredResult } from '@grsai-jobs/jobs';
import { JobRequest, TRANSITIONS } from '@grsai-jobs/jobs';
import type { Mirrored } from './mirror.ts';

const ULID = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const URLS = ['https://caller.example/hooks', 'https://other.example/é'];
const MODELS = ['nano-banana-2', 'gpt-image-2'];
const TENANTS = ['acme', 'lübeck'];

/** What happens in one sequence, and what its acts know of it. */
export class Scene {
  readonly kit: Mirrored;
  readonly jobs: string[] = [];
  readonly tokens: string[] = [];
  readonly attempts: OpenAttempt[] = [];
  readonly batches: { id: string; tenant: string; ids: string[] }[] = [];
  #made = 0;

  constructor(kit: Mirrored) {
    this.kit = kit;
  }

  /** Ids and tokens are the same in each run of a sequence. */
  #next(): string {
    return createHash('sha256')
      .update(String(this.#made++))
      .digest('hex');
  }

  id(kind: string): string {
    const digits = [...this.#next()].map((c) => ULID[Number.parseInt(c, 16)]);
    return `${kind}_${digits.join('').slice(0, 26)}`;
  }

  token(): string {
    const token = this.#next().slice(0, 32);
    this.tokens.unshift(token);
    return token;
  }
}

const pick = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;

function docOf(n: number): JobDoc {
  const model = pick(MODELS, n);
  const request =
    n % 3 === 0
      ? { type: 'chat', input: { model, messages: [{ role: 'user', content: 'grüße / "again"' }] } }
      : { type: 'image', input: { model, prompt: 'a paper lighthouse' } };
  const parsed = JobRequest.parse({ ...request, ...(n % 4 === 0 ? {} : { webhook: { url: pick(URLS, n >> 2) } }) });
  return { ...parsed, on_unknown_submit: 'fail' };
}

const UNSTORED: UnstoredResult = { links: [{ url: 'http://f/1.png' }], dies_at: 1_800_001_000_000 };
const attempt = (stage: 'call' | 'submit' | 'poll' | 'store', outcome: 'retry' | 'accepted' | 'failed' | 'succeeded') =>
  ({ stage, outcome, started_at: 1, ended_at: 2 }) as const;
const TASK = { base: 'http://b', id: '1-t' };

/** One transition of each kind and some more. */
const CHANGES: readonly Transition[] = [
  { kind: 'report_progress', progress: 5, leaseMs: 20_000 },
  { kind: 'release', waitMs: 1000, attempt: attempt('submit', 'retry'), attemptsUsed: 1 },
  { kind: 'task_accepted', task: TASK, attempt: attempt('submit', 'accepted'), firstPollMs: 0, aliveMs: 1e6 },
  { kind: 'poll', progress: 40, polls: 2 },
  { kind: 'resubmit', waitMs: 1000, attempt: attempt('poll', 'failed') },
  { kind: 'start_storing', unstored: UNSTORED },
  { kind: 'retry_storing', waitMs: 1000, attempt: attempt('store', 'retry') },
  { kind: 'finish', status: 'succeeded', output: { kind: 'images', images: [] }, attempt: attempt('store', 'succeeded') },
  {
    kind: 'finish',
    status: 'failed',
    keepLease: true,
    latePollMs: 1000,
    error: { code: 'submit_unknown', message: 'nö', retryable: false, stage: 'submitting' },
  },
  { kind: 'finish', status: 'expired' },
  { kind: 'cancel' },
  { kind: 'request_cancel' },
  { kind: 'reopen', to: 'queued' },
  { kind: 'requeue' },
  { kind: 'record_crash', cause: 'thrown', waitMs: 1000 },
  { kind: 'record_task', task: TASK, latePollMs: 1000 },
  { kind: 'settle_call', callEnd: 'failed' },
];

async function jobOf(s: Scene, n: number): Promise<Job | null> {
  return s.jobs.length === 0 ? null : await s.kit.store.jobs.read(pick(s.jobs, n));
}

/** A change by whoever believes to hold the lease; one that the state allows, or any. */
async function change(s: Scene, n: number): Promise<void> {
  const job = await jobOf(s, n);
  if (job === null) return;
  const state = job.stage === null ? job.status : `${job.status}/${job.stage}`;
  const possible = CHANGES.filter(({ kind }) => (TRANSITIONS[kind].from as readonly string[]).includes(state));
  const transition = pick(n % 7 === 0 || possible.length === 0 ? CHANGES : possible, n >> 3);
  const token = pick([...s.tokens.slice(0, 3), 'nobody'], n >> 6);
  const lease = { acquired_at: 0, expires_at: 0, ...job.lease, token };
  const held = n % 5 === 0 || job.lease === null ? { ...job, lease } : job;
  const first = n % 3 === 0 ? { attempt: { token: s.token() } } : n % 3 === 1 ? { attempt: { busy: true } } : {};
  const changed = await s.kit.store.transitions.commit(held, transition, { token: s.token(), ...first });
  if (changed.kind === 'ok' && changed.placed?.kind === 'open') s.attempts.push(changed.placed);
}

async function deliveryOf(s: Scene, n: number): Promise<Delivery | null> {
  const { deliveries } = await s.kit.store.deliveryList.page({ tenant: null, filter: {}, after: null, limit: 20 });
  return deliveries.length === 0 ? null : pick(deliveries, n);
}

async function open(s: Scene, n: number): Promise<void> {
  const delivery = await deliveryOf(s, n);
  if (delivery === null) return;
  const lease = { endpoint: endpointRef(delivery.tenant, delivery.url), token: s.token() };
  const opened = await s.kit.store.deliveries.open(delivery, lease, { share: n % 5 !== 0 });
  if (opened.kind === 'open') s.attempts.push(opened);
}

async function settle(s: Scene, n: number): Promise<void> {
  const found = s.attempts.length === 0 ? undefined : pick(s.attempts, n);
  if (found === undefined) return;
  const now = s.kit.clock.now();
  const [result, state] = pick(
    [
      ['ok', 'delivered'],
      ['failed', 'pending'],
      ['failed', 'pending'],
      ['gone', 'failed'],
    ] as const,
    n >> 2,
  );
  const made = {
    number: found.delivery.attempts_made + 1,
    at: now,
    duration_ms: 5,
    ok: result === 'ok',
    phase: 'response',
  } as const;
  const settled = await s.kit.store.deliveries.settle(found.delivery, {
    ...{ state, attempt: made, wants: [s.token()] },
    ...(state === 'pending' ? { waitMs: 1000 } : {}),
    lease: { ...found.lease, result, answered: n % 2 === 0, tookMs: (n % 9) * 500 },
  });
  s.attempts.splice(s.attempts.indexOf(found), n % 6 === 0 ? 0 : 1);
  s.attempts.push(...settled.begun);
}

async function addBatch(s: Scene, n: number): Promise<void> {
  const { batches } = s.kit.store;
  const batch = { id: s.id('batch'), tenant: pick(TENANTS, n) };
  const lines = Array.from({ length: 1 + (n % 4) }, (_, i) => ({
    ...{ jobId: s.id('job'), line: i + 1, customId: `item ${i}`, doc: docOf(n + i) },
  }));
  const doc = {
    webhook: { url: pick(URLS, n), events: ['batch.completed' as const] },
    ...{ metadata: { month: '11' }, priority: 'normal' as const, expires_in_s: 3600, output: { url_ttl_s: 3600 } },
  };
  await batches.open({ ...batch, doc, createdAt: s.kit.clock.now() });
  await batches.add(batch, 0, lines);
  if (n % 5 === 0) await batches.noteInvalid(batch, [{ line: 9, code: 'invalid', message: 'é' } as never]);
  const ids = lines.map(({ jobId }) => jobId);
  if (n % 7 === 0) return void (await batches.discard(batch.id, ids));
  await batches.commit(batch, { total: lines.length, invalid: 0, expiresInS: 3600 });
  s.batches.push({ ...batch, ids });
}

async function onBatch(s: Scene, n: number): Promise<void> {
  if (s.batches.length === 0) return;
  const { batches } = s.kit.store;
  const batch = pick(s.batches, n);
  const read = await batches.read(batch.id);
  if (n % 4 === 1) await batches.cancel(batch.id);
  else if (n % 4 === 2) await batches.retryFailed(batch.id, { includeUnknown: n % 8 === 2 });
  else if (n % 4 === 3 && read !== null) {
    if (n % 16 === 3) await batches.eraseEnded(read, 0);
  } else s.jobs.push(...batch.ids);
}

async function operate(s: Scene, n: number): Promise<void> {
  const { operations } = s.kit.store;
  const now = s.kit.clock.now();
  if (n % 4 === 0) await operations.add({ kind: 'bulk', subject: `b${n % 3}`, order: { a: [1, {}] }, at: now });
  if (n % 4 === 1) return void (await operations.addAgain({ kind: 'bulk', subject: `b${n % 3}`, order: {}, at: now }));
  const taken = await operations.take(now);
  if (taken === null) return;
  if (n % 4 === 2) await operations.done(taken);
  else await operations.checkpoint(taken, { at: n }, 1000);
}

async function brake(s: Scene, n: number): Promise<void> {
  const job = await jobOf(s, n);
  if (job === null) return;
  const at = s.kit.clock.now();
  const refusal = {
    ...{ queue: job.doc.type === 'chat' ? 'call' : 'submit', model: job.doc.input.model, tenant: job.tenant, id: s.token() },
    ...{ text: 'sig', raw: 'HTTP 400: no', at, begun_at: at - 10 },
  };
  await s.kit.store.brakes.refused(refusal as never, refusal.id);
}

async function start(s: Scene, n: number): Promise<void> {
  const job = await jobOf(s, n);
  if (job === null) return;
  const over = n % 5 === 0 && job.lease ? { over: { token: job.lease.token, attempts: [], attemptsUsed: 1 } } : {};
  const limits = {
    ...{ maxInFlight: n % 3 === 0 ? 4 : 100, callReserve: n % 3 === 0 ? 1 : 10, callSlots: n % 5 === 0 ? 3 : 50 },
    rpm: n % 4 === 0 ? 3 : 1000,
  };
  await s.kit.store.transitions.startCall({ id: job.id, step: job.step }, { token: s.token(), limitMs: 1000, ...over }, limits);
}

async function create(s: Scene, n: number): Promise<void> {
  const id = n % 9 === 0 && s.jobs.length > 0 ? pick(s.jobs, n) : s.id('job');
  const idempotency = { route: 'jobs', key: `k${n % 4}`, fingerprint: `f${n % 5}` };
  const created = await s.kit.store.transitions.create({
    ...{ id, tenant: pick(TENANTS, n >> 4), doc: docOf(n) },
    ...(n % 6 === 0 ? { idempotency } : {}),
  });
  if (created.kind === 'ok') s.jobs.push(id);
}

/** What can happen; each makes its choices by a number. */
export const ACTS: readonly ((s: Scene, n: number) => Promise<unknown>)[] = [
  create,
  create,
  start,
  start,
  start,
  change,
  change,
  change,
  change,
  change,
  change,
  open,
  open,
  settle,
  settle,
  settle,
  addBatch,
  onBatch,
  onBatch,
  operate,
  brake,
  async (s, n) => s.kit.clock.advance(pick([1, 1000, 12_000, 61_000, 400_000], n)),
  async (s) => {
    const found = s.attempts.pop();
    if (found !== undefined) await s.kit.store.deliveries.release(found.delivery.id, found.lease);
  },
  (s, n) => s.kit.store.deliveries.letIn(endpointRef(pick(TENANTS, n), pick(URLS, n >> 1))),
  async (s, n) => {
    const delivery = await deliveryOf(s, n);
    if (delivery === null) return;
    await (n % 2 === 0 ? s.kit.store.deliveries.resend(delivery) : s.kit.store.deliveries.repair(delivery));
  },
  (s, n) => s.kit.store.endpoints.enable(pick(TENANTS, n), pick(URLS, n >> 1)),
  (s, n) => s.kit.store.endpoints.read(pick(TENANTS, n), pick(URLS, n >> 1)),
  async (s, n) => {
    const job = await jobOf(s, n);
    if (job === null) return;
    await s.kit.store.erase.begin(job);
    if (n % 2 === 0) await s.kit.store.erase.asked(job);
  },
  (s) => s.kit.store.list.page({ tenant: null, filter: {}, after: null, limit: 3 }),
  async (s, n) => {
    const until = s.kit.clock.now() + 1000 * (n % 20);
    await s.kit.store.pauses.addUntil('submit', { reason: 'storage', since: s.kit.clock.now(), until, detail: '/' } as never);
  },
  (s, n) => s.kit.store.paces.learn('image', new Map([[n % 5, 1 + (n % 3)]])),
  (s) => s.kit.store.jobs.overdue(s.kit.clock.now(), 10),
  async (s, n) => {
    const claim = { tenant: 'acme', route: 'batches', key: `c${n % 2}` };
    const claimed = await s.kit.store.claims.claim(claim);
    if (claimed.kind === 'claimed' && n % 3 === 0) await s.kit.store.claims.free({ ...claim, by: claimed.by });
  },
  async (s, n) => {
    const entry = { key_id: 'k', key_name: 'n', action: 'key.delete', target: String(n), reason: 'ü' };
    await s.kit.store.audit.note(entry, 'done');
  },
];
