import type { Grsai } from '@grsai-jobs/grsai';
import { createCancelJob, createReopenJob } from '@grsai-jobs/job-actions';
import { batchId, dayOf, isTerminal, type Job, type JobDoc, type JobPrice, type JobRequest } from '@grsai-jobs/jobs';
import type { Handler } from '@grsai-jobs/queue';
import { wrongCost } from '@grsai-jobs/testkit/cost-rule';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLateResults } from '../src/maintenance/late-results.ts';
import { createRepairs } from '../src/maintenance/repairs.ts';
import { type Harness, handlersOf, imageDoc, newId, startHarness } from './harness.ts';

const MINUTE = 60_000;

const price = (reserve: number, error = true): JobPrice => ({ reserve, refunds: { error, violation: false }, isOld: false });
const CL = { model: 'nano-banana-2-cl', price: price(6000, false) };

/** What callers ask for, with what upstream takes for it. */
const KINDS: readonly {
  type: JobRequest['type'];
  model: string;
  price: JobPrice;
  via?: 'generations';
  /** Models to fall back to. */
  next?: readonly { model: string; price: JobPrice }[];
}[] = [
  { type: 'image', model: 'nano-banana-2', price: price(1200) },
  { type: 'image', model: 'nano-banana-2', price: price(1200), next: [{ model: 'nano-banana-pro', price: price(1800) }, CL] },
  { type: 'image', ...CL, next: [{ model: 'nano-banana-2', price: price(1200) }] },
  { type: 'image', model: 'gpt-image-2', price: price(600), via: 'generations' },
  {
    type: 'image',
    model: 'gpt-image-2',
    price: price(600),
    via: 'generations',
    next: [{ model: 'gpt-image-2.5', price: price(600) }],
  },
  { type: 'chat', model: 'gemini-3.1-pro', price: price(10) },
  { type: 'chat', model: 'gemini-3.1-pro', price: price(10), next: [{ model: 'gemini-3-flash', price: price(10) }] },
];

/** What becomes of its first call upstream. Synchronous calls take no time there: nobody moves the clock while one is awaited. */
const FATES = [
  '',
  '',
  '[[outcome=failed]]',
  '[[outcome=violation]]',
  '[[fault=F16]]',
  '[[fault=F17]]',
  // Charged, and its answer is lost.
  '[[fault=F6]]',
  // Refused before it was charged: the first by a proxy, so that nobody can know it.
  '[[fault=F4]]',
  '[[fault=F3]]',
  '[[fault=F20:as=maintenance]]',
  '[[fault=F24:as=policy-zh]]',
] as const;
const CHAT_FATES = [
  '',
  '[[fault=F6]]',
  '[[fault=F4]]',
  '[[fault=F3]]',
  '[[fault=F21:as=failed]]',
  '[[fault=F21:as=empty]]',
] as const;

/** Its answer is lost or a page of a proxy, is empty, or says that it broke the policy and names no task: upstream may charge for that or not. */
const MAY_LOSE = /F4|F6|as=empty|policy|(violation|F17).*task-ms/;

function docOf(kind: (typeof KINDS)[number], prompt: string, own: object): JobDoc {
  const { type, model, via, next } = kind;
  const input = type === 'chat' ? { model, messages: [{ role: 'user', content: prompt }] } : { model, prompt };
  const fallback = next ? { fallback_models: next.map((each) => each.model) } : {};
  const prices = next ? { fallback_prices: [kind, ...next].map((each) => each.price) } : {};
  const doc = imageDoc({ type, input, webhook: undefined, max_attempts: 2, ...(via ? { via } : {}), ...fallback });
  return { ...doc, ...prices, ...own };
}

/** Upstream, whose answers come once `arrives` says so. */
function through(grsai: Grsai, arrives: () => Promise<unknown>): Pick<Grsai, 'chat' | 'images'> {
  const late = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(_, name) {
        const method: unknown = Reflect.get(part, name);
        if (typeof method !== 'function') return method;
        return async (...args: unknown[]) => {
          const [answer] = await Promise.allSettled([(method as (...args: unknown[]) => Promise<unknown>).apply(part, args)]);
          await arrives();
          if (answer.status === 'rejected') throw answer.reason;
          return answer.value;
        };
      },
    });
  return { chat: late(grsai.chat), images: late(grsai.images) };
}

interface World {
  harness: Harness;
  jobs: { id: string; prompt: string }[];
  /** Jobs of which something was done that can leave a call unknown. */
  lost: Set<string>;
  batch: { id: string; tenant: string };
  /** Calls of workers that are frozen, and how they go on. */
  frozen: { goesOn: () => void; ends: Promise<unknown> }[];
}

/** A worker takes the entry that a job has now. */
async function work(w: World, job: Job, via = (grsai: Grsai): Pick<Grsai, 'chat' | 'images'> => grsai): Promise<unknown> {
  const entry = { id: job.id, step: job.step, batch_id: job.batch_id };
  const handlers = handlersOf(w.harness, { grsai: via(w.harness.grsai) });
  const handle = (handler: Handler) => handler({ entry } as never);
  if (job.stage === 'generating') return await handle(handlers.poll);
  if (job.stage === 'storing')
    return await w.harness.store.transitions.commit(job, {
      kind: 'finish',
      status: job.status === 'canceling' ? 'canceled' : 'succeeded',
    });
  return await handle(job.doc.type === 'chat' || job.doc.via === 'generations' ? handlers.call : handlers.submit);
}

type Act = (w: World, job: Job) => Promise<unknown>;

/** A worker calls upstream, and stops before it could write the answer down: until `goesOn`. */
async function stop(w: World, job: Job): Promise<World['frozen'][number] | null> {
  if (job.stage === 'storing') return null;
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const { promise: gate, resolve: goesOn } = Promise.withResolvers<void>();
  const arrives = () => {
    answer();
    return gate;
  };
  const ends = work(w, job, (grsai) => through(grsai, arrives));
  await Promise.race([answered, ends]);
  return { goesOn, ends };
}

const ACTS: Readonly<Record<string, Act>> = {
  work,
  die: stop,
  freeze: async (w, job) => {
    const call = await stop(w, job);
    if (call !== null) w.frozen.push(call);
  },
  thaw: async (w) => {
    const next = w.frozen.shift();
    next?.goesOn();
    await next?.ends;
  },
  cancel: async (w, job) => await createCancelJob(w.harness)(job),
  retry: async (w, job) => (isTerminal(job.status) ? await createReopenJob(w.harness)(job) : null),
  resubmit: async (w, job) => (isTerminal(job.status) ? await createReopenJob(w.harness)(job, 'resubmit') : null),
  'wait 2 s': async (w) => await w.harness.clock.advance(2000),
  'wait a minute': async (w) => await w.harness.clock.advance(MINUTE),
  'wait 6 min': async (w) => await w.harness.clock.advance(6 * MINUTE),
  late: async (w) => await createLateResults(w.harness)(),
  repair: async (w) => await createRepairs(w.harness)(),
};

/** Whether it ends a call without anybody knowing what became of it. A resubmit gives up the task that a cancel or a timeout left to be polled late. */
const loses = (act: string, { cost }: Job): boolean =>
  act === 'die' || act === 'freeze' || (act === 'resubmit' && cost.open !== null);

const read = async (w: World, id: string): Promise<Job> => {
  const job = await w.harness.store.jobs.read(id);
  if (job === null) throw new Error(`no record of ${id}`);
  return job;
};

/** Workers go on until nothing is left to be done. */
async function drain(w: World): Promise<void> {
  for (const { goesOn, ends } of w.frozen.splice(0)) {
    goesOn();
    await ends;
  }
  for (let round = 0; ; round += 1) {
    const jobs = await Promise.all(w.jobs.map(({ id }) => read(w, id)));
    const live = jobs.filter(({ status }) => !isTerminal(status));
    const late = await w.harness.redis.zcard('{gj}:late');
    if (live.length + late === 0) return;
    if (round > 200)
      throw new Error(`${live.map(({ id, status, stage }) => `${id} ${status} ${stage}`).join(', ')} go on for ever`);
    for (const job of live) await work(w, job);
    await createLateResults(w.harness)();
    await createRepairs(w.harness)();
    await w.harness.clock.advance(live.length > 0 ? 10_000 : 2 * MINUTE);
  }
}

/** What upstream took of a job, and gave back. */
function ledgerOf({ harness: { emulator } }: World, prompt: string): { taken: number; refunded: number } {
  const rows = [...emulator.ledger.tasksOf({ prompt }), ...emulator.ledger.submitsOf({ prompt, kind: 'chat' })];
  const sum = (name: 'charged' | 'refunded') => rows.reduce((n, row) => n + row[name], 0);
  return { taken: sum('charged') - sum('refunded'), refunded: sum('refunded') };
}

const call = fc.record({
  act: fc.constantFrom(...['work', 'work', 'work', 'work', 'wait 2 s', 'wait 2 s'], ...Object.keys(ACTS)),
  job: fc.nat(2),
});
const asked = fc.record({
  kind: fc.constantFrom(...KINDS),
  fate: fc.nat(50),
  unknown: fc.constantFrom<JobDoc['on_unknown_submit'][]>('fail', 'resubmit'),
});

test('whatever becomes of calls and of those who make them, what records, batch and usage say was charged is what upstream has charged, or nobody can know it', async () => {
  const harness = await startHarness();
  await harness.emulator.configure({ chatMs: 0 });
  let lives = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(asked, { minLength: 1, maxLength: 3 }), fc.array(call, { maxLength: 25 }), async (wanted, acts) => {
      await harness.redis.flushall();
      lives += 1;
      const day = dayOf(harness.clock.now());
      const batch = { id: batchId(newId().slice(4)), tenant: 'acme', keyId: 'key_1' };
      const lines = wanted.map(({ kind, fate, unknown }, n) => {
        const fates = kind.type === 'chat' ? CHAT_FATES : FATES;
        const prompt = `life ${lives} job ${n}. ${fates[fate % fates.length]}${kind.via ? '[[task-ms=0]]' : ''}`;
        const doc = docOf(kind, prompt, { on_unknown_submit: unknown });
        return { jobId: newId(), line: n + 1, customId: `l${n}`, doc, price: kind.price, prompt };
      });
      const doc = { expires_in_s: 3600, metadata: {}, priority: 'normal', output: { url_ttl_s: 60 } } as const;
      await harness.store.batches.open({ ...batch, doc, createdAt: harness.clock.now() });
      await harness.store.batches.add(batch, 0, lines);
      await harness.store.batches.commit(batch, { total: lines.length, invalid: 0, expiresInS: 3600 });
      const w: World = {
        ...{ harness, batch, frozen: [] },
        lost: new Set(lines.flatMap(({ jobId, prompt }) => (MAY_LOSE.test(prompt) ? [jobId] : []))),
        jobs: lines.map(({ jobId: id, prompt }) => ({ id, prompt: prompt.split('.')[0] ?? '' })),
      };
      for (const { act, job } of acts) {
        const id = w.jobs[job % w.jobs.length]?.id ?? '';
        const current = await read(w, id);
        if (loses(act, current)) w.lost.add(id);
        await ACTS[act]?.(w, current);
      }
      await drain(w);

      // Nothing is paid twice but where a caller allowed it.
      for (const { id, prompt } of w.jobs) {
        const { doc, run } = await read(w, id);
        const paid = harness.emulator.ledger.tasksOf({ prompt }).filter((task) => task.charged > task.refunded);
        if (run === 1 && doc.on_unknown_submit === 'fail') expect(paid.length).toBeLessThanOrEqual(1);
      }

      const sums = { charged: 0, refunded: 0, reserved: 0 };
      for (const { id, prompt } of w.jobs) {
        const { cost, status, error, doc: of } = await read(w, id);
        const [charged, refunded, reserved] = [cost.charged ?? 0, cost.refunded ?? 0, (cost.open ?? 0) + cost.unknown];
        const { taken, refunded: back } = ledgerOf(w, prompt);
        const wrong = wrongCost(
          { charged, refunded, reserved },
          { taken, refunded: back },
          { isChat: of.type === 'chat', mayBeUnknown: w.lost.has(id) },
        );
        expect(wrong && `${status} ${error?.code} ${wrong}`).toBe(null);
        sums.charged += charged;
        sums.refunded += refunded;
        sums.reserved += reserved;
      }
      expect((await harness.store.batches.read(batch.id))?.cost).toEqual({
        charged: sums.charged === 0 ? expect.toSatisfy((n) => n === null || n === 0) : sums.charged,
        refunded: sums.refunded === 0 ? null : sums.refunded,
        reserved: expect.toSatisfy((n) => (n ?? 0) === sums.reserved),
        isGuess: false,
      });
      const rows = await harness.store.spending.rows('acme', day, day + 40);
      const sum = (name: 'credits' | 'reserved' | 'refunded') => rows.reduce((n, row) => n + row[name], 0);
      expect([sum('credits'), sum('refunded'), sum('reserved')]).toEqual([sums.charged, sums.refunded, sums.reserved]);
    }),
    { numRuns: 40 },
  );
}, 60_000);
