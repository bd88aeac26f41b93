import { Grsai } from '@grsai-jobs/grsai';
import { JobRequest } from '@grsai-jobs/jobs';
import { expect, onTestFinished, test } from 'vitest';
import { createPauseTask } from '../src/maintenance/pauses.ts';
import { keyState } from '../src/pauses/key-probe.ts';
import { gateOf } from '../src/pauses/pause-control.ts';
import { createProbes } from '../src/pauses/probes.ts';
import { createUpstreamHealth } from '../src/pauses/upstream-health.ts';
import { createLearnedPace } from '../src/stages/task/learned-pace.ts';
import { acceptedJob, generatingJob, type Harness, handlersOf, startHarness } from './harness.ts';

const never = new AbortController().signal;

/** The stages that call upstream, each run for a job as its queue would, and what is paused afterwards. */
function stagesOf(harness: Harness) {
  const pace = createLearnedPace(harness.store.paces, () => {}, harness.timers);
  onTestFinished(() => pace.stop());
  const upstream = createUpstreamHealth(harness.control, harness.log);
  const stages = handlersOf(harness, {
    pace,
    upstream,
    probeKey: async () => (await keyState(harness.grsai, never)) !== 'refused',
  });
  const runs = async (job: { id: string; read: () => Promise<{ step: number }> }, stage: 'call' | 'submit' | 'poll') => {
    const outcome = await stages[stage]({ entry: { id: job.id, step: (await job.read()).step }, stalled: false });
    return outcome.kind;
  };
  const paused = async () => [...(await harness.control.reasons()).keys()].sort();
  const watch = async () => {
    const pauses = (await harness.store.pauses.all())['submit'] ?? [];
    harness.trouble.seen(pauses);
    upstream.seen(gateOf(pauses.filter(({ reason }) => reason === 'upstream')));
  };
  const objects = { probe: async () => {} } as never;
  const probes = createProbes({ grsai: harness.grsai, objects, waitsToBeStored: async () => false });
  const runTask = createPauseTask({ ...harness, waitsToBeStored: async () => false }, harness.control, probes);
  const rounds = async (n: number) => {
    for (let i = 0; i < n; i += 1) {
      await harness.clock.advance(15_000);
      await runTask();
      await watch();
    }
  };
  return { runs, paused, watch, rounds };
}

const image = (harness: Harness, prompt: string, input: object = {}, more: object = {}) =>
  acceptedJob(harness, { input: { model: 'nano-banana-2', prompt, ...input }, ...more });

const chat = (harness: Harness, content: unknown, input: object = {}) =>
  acceptedJob(harness, {}, () => ({
    ...JobRequest.parse({ type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content }] } }),
    on_unknown_submit: 'resubmit',
    ...(Object.keys(input).length === 0
      ? {}
      : { input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content }], ...input } as never }),
  }));

/** What upstream says to a model, until it is taken back. */
const says = (text: string, model = 'nano-banana-2', status = 400) => ({ refusals: [{ text, model, status }] });

test.each<[string, (harness: Harness) => ReturnType<typeof chat>, 'call' | 'submit', string]>([
  ['a chat with an old model name', (harness) => chat(harness, 'hi', { model: 'insufficient credits' }), 'call', 'model'],
  ['a chat with another', (harness) => chat(harness, 'hi', { model: 'apikey error' }), 'call', 'both'],
  ['a streamed chat', (harness) => chat(harness, 'hi', { model: 'Insufficient Credits', stream: true }), 'call', 'model'],
  ['a chat in its message', (harness) => chat(harness, 'insufficient credits'), 'call', 'prompt'],
  [
    'a chat in parts',
    (harness) => chat(harness, [{ type: 'text', text: 'my apikey error is unauthorized' }]),
    'call',
    'prompt-first',
  ],
  ['an image by its prompt', (harness) => image(harness, 'a sign: apikey error'), 'submit', 'prompt'],
  ['an image by a Chinese prompt', (harness) => image(harness, '画一张余额不足的告示牌'), 'submit', 'both'],
  [
    'an image by generations',
    (harness) => image(harness, 'not enough credits', {}, { via: 'generations' }),
    'call',
    'prompt-first',
  ],
])('when upstream repeats %s then nobody pauses and only that job fails', async (_what, send, stage, echo) => {
  const harness = await startHarness();
  const { runs, paused } = stagesOf(harness);
  const jobs = [await send(harness), await send(harness), await send(harness)];
  const { model } = (await jobs[0]?.read())?.doc.input ?? {};
  harness.emulator.configure({ echo: echo as 'model', ...says('cannot do that', model), chatMs: 0 });
  for (const job of jobs) {
    expect(await runs(job, stage)).toBe('done');
    expect(await job.read()).toMatchObject({ status: 'failed', attempts_used: 1, error: { code: 'upstream_failed' } });
  }
  expect(await paused()).toEqual([]);
  // One answer of a probe counts for all three.
  expect(harness.asked.key + harness.asked.money).toBeLessThanOrEqual(1);
  harness.emulator.configure({ echo: 'none', refusals: [] });
  const next = await chat(harness, 'hi');
  await runs(next, 'call');
  expect((await next.read()).status).toBe('succeeded');
});

test.each<['apikey error' | 'insufficient credits', 'auth' | 'balance']>([
  ['apikey error', 'auth'],
  ['insufficient credits', 'balance'],
])(
  'when upstream says %s itself and the probe denies it then the job uses up its attempts and nobody pauses',
  async (text, reason) => {
    const harness = await startHarness();
    const { runs, paused } = stagesOf(harness);
    harness.emulator.configure(says(text));
    const job = await image(harness, 'a lighthouse', {}, { max_attempts: 2 });
    expect(await runs(job, 'submit')).toBe('wait');
    expect(await job.read()).toMatchObject({ status: 'queued', attempts_used: 1 });
    expect(await runs(job, 'submit')).toBe('done');
    expect(await job.read()).toMatchObject({ status: 'failed', error: { code: 'upstream_failed' } });
    expect(await paused()).toEqual([]);
    expect(harness.asked).toEqual(reason === 'auth' ? { key: 1, money: 0 } : { key: 0, money: 1 });
  },
);

test('when a HTTP 403 is refused and the key is good then only the job is', async () => {
  const harness = await startHarness();
  const { runs, paused } = stagesOf(harness);
  harness.emulator.configure(says('this is not for you', 'nano-banana-2', 403));
  const job = await image(harness, 'a lighthouse', {}, { max_attempts: 1 });
  await runs(job, 'submit');
  expect((await job.read()).status).toBe('failed');
  expect(await paused()).toEqual([]);
});

test('when the account has no credits then all pause at once, although upstream repeats a prompt that says so', async () => {
  const harness = await startHarness();
  const { runs, paused } = stagesOf(harness);
  harness.emulator.setCredits(0);
  harness.emulator.configure({ echo: 'prompt' });
  const job = await image(harness, 'a sign: insufficient credits');
  expect(await runs(job, 'submit')).toBe('wait');
  expect(await job.read()).toMatchObject({ status: 'queued', attempts_used: 0 });
  expect(await paused()).toEqual(['balance']);
});

test('when the key is refused then all pause, and many refusals at once cost one probe', async () => {
  const harness = await startHarness();
  const { runs, paused } = stagesOf(harness);
  harness.emulator.configure({ keys: ['sk-another-key'] });
  const jobs = await Promise.all(Array.from({ length: 20 }, (_, i) => chat(harness, `q${i}`)));
  expect(await Promise.all(jobs.map((job) => runs(job, 'call')))).toEqual(Array(20).fill('wait'));
  for (const job of jobs) expect(await job.read()).toMatchObject({ status: 'queued', attempts_used: 0 });
  expect(await paused()).toEqual(['auth']);
  expect(harness.asked.key).toBe(1);
});

test('when the probe cannot reach upstream then the job waits, no attempt is used up and nobody pauses', async () => {
  const harness = await startHarness();
  const { runs, paused } = stagesOf(harness);
  harness.emulator.configure({ ...says('insufficient credits'), mix: [{ fault: 'F4', p: 1, on: 'side' }] as never });
  const job = await image(harness, 'a lighthouse');
  expect(await runs(job, 'submit')).toBe('wait');
  expect(await job.read()).toMatchObject({ status: 'queued', attempts_used: 0 });
  expect(await paused()).toEqual([]);
});

test('when there is money but not enough for five jobs in a row then all pause, and one that passes opens again', async () => {
  const harness = await startHarness();
  const { runs, paused, rounds } = stagesOf(harness);
  harness.emulator.setCredits(10);
  const jobs = await Promise.all(Array.from({ length: 6 }, (_, i) => image(harness, `picture ${i}`)));
  for (const job of jobs) await runs(job, 'submit');
  expect(await paused()).toEqual(['balance']);
  expect((await Promise.all(jobs.map(async (job) => (await job.read()).attempts_used))).sort()).toEqual([0, 0, 1, 1, 1, 1]);
  await rounds(2);
  expect((await harness.control.reasons()).get('balance')?.state).toBe('half');
  const [first] = jobs;
  if (first === undefined) throw new Error('no job');
  const before = (await first.read()).attempts_used;
  await runs(first, 'submit');
  expect((await first.read()).attempts_used).toBe(before);
  expect((await harness.control.reasons()).get('balance')?.state).toBe('paused');
  // Somebody else's cheap chat is what is let through next.
  harness.emulator.configure({ chatCost: 1, chatMs: 0 });
  await rounds(2);
  await runs(await chat(harness, 'hi'), 'call');
  await expect.poll(paused).toEqual([]);
});

test('when the quota of an unlimited key is 0 and the account has money then a pause for credits is over within a minute', async () => {
  const harness = await startHarness();
  const { runs, paused, rounds } = stagesOf(harness);
  harness.emulator.configure({ keyQuota: 'unlimited' });
  await harness.control.pause('balance', 'insufficient credits', { quota: 0, account: harness.emulator.ledger.credits });
  await rounds(2);
  await runs(await image(harness, 'a lighthouse'), 'submit');
  await expect.poll(paused).toEqual([]);
});

test.each([
  ['the account is topped up', (harness: Harness) => harness.emulator.setCredits(5)],
  ['the account owes less than before, and has some', (harness: Harness) => harness.emulator.setCredits(0.5)],
])('when %s while the quota of the key stays 0 then the pause is over', async (_what, topUp) => {
  const harness = await startHarness();
  const { runs, paused, rounds } = stagesOf(harness);
  harness.emulator.configure({ keyQuota: 'unlimited' });
  harness.emulator.setCredits(0);
  await runs(await image(harness, 'a lighthouse'), 'submit');
  expect(await paused()).toEqual(['balance']);
  expect((await harness.control.reasons()).get('balance')?.credits).toEqual({ quota: 0, account: 0 });
  await rounds(1);
  expect(await paused()).toEqual(['balance']);
  topUp(harness);
  await rounds(1);
  expect(await paused()).toEqual([]);
});

test('when there is no money then jobs that are let through use up no attempt and nothing is paid, for as long as it takes', async () => {
  const harness = await startHarness();
  const { runs, paused, rounds } = stagesOf(harness);
  harness.emulator.setCredits(0);
  const job = await image(harness, 'a lighthouse', {}, { max_attempts: 1 });
  const states = new Set<string | undefined>();
  for (let n = 0; n < 90; n += 1) {
    await runs(job, 'submit');
    await rounds(1);
    states.add((await harness.control.reasons()).get('balance')?.state);
  }
  expect(await paused()).toEqual(['balance']);
  expect([...states].sort()).toEqual(['half', 'paused']);
  expect(await job.read()).toMatchObject({ status: 'queued', attempts_used: 0 });
  expect(harness.emulator.ledger.creditsTaken).toBe(0);
});

test('when a task failed in words of its prompt then nobody pauses, and in words of upstream about money it is submitted again', async () => {
  const harness = await startHarness();
  const { runs, paused } = stagesOf(harness);
  const echo = await generatingJob(harness, '[[outcome=failed]]a sign: model not found[[echo=prompt]]', {
    input: { model: 'nano-banana-2', prompt: 'a sign: model not found' },
  });
  await harness.clock.advance(2000);
  await runs(echo, 'poll');
  expect(await echo.read()).not.toMatchObject({ error: { code: 'model_unavailable' } });
  const poor = await generatingJob(harness, '[[outcome=failed]][[error=insufficient credits]]');
  await harness.clock.advance(2000);
  await runs(poor, 'poll');
  expect(await poor.read()).toMatchObject({ status: 'queued', attempts_used: 1 });
  expect(await paused()).toEqual([]);
});

test.each(['@busy', '@busy-zh', 'The model is overloaded. Please try again later.'])(
  'when upstream is overloaded (%s) then the job waits longer each time, uses up no attempt, and expires as unavailable',
  async (text) => {
    const harness = await startHarness();
    const { runs, paused } = stagesOf(harness);
    harness.emulator.configure(says(text));
    const job = await image(harness, 'a lighthouse', {}, { max_attempts: 1 });
    for (let n = 0; n < 30; n += 1) {
      expect(await runs(job, 'submit')).toBe('wait');
      expect(await job.read()).toMatchObject({ status: 'queued', attempts_used: 0 });
      await harness.clock.advance(n < 18 ? 60_000 : 300_000);
    }
    expect(await paused()).toEqual([]);
    await harness.clock.advance(86_400_000);
    await runs(job, 'submit');
    expect(await job.read()).toMatchObject({
      status: 'expired',
      error: { code: 'upstream_unavailable', message: expect.stringContaining('overloaded') as string },
    });
  },
);

test('when nothing is known at the address of the API then all wait, no job fails and no attempt is used up', async () => {
  const harness = await startHarness();
  const lost = new Grsai({ apiKey: 'sk-lost', baseUrls: [`${harness.emulator.url}/v1`] });
  onTestFinished(() => lost.close());
  const { runs, paused, rounds, watch } = stagesOf({ ...harness, grsai: lost });
  const one = await image(harness, 'a lighthouse', {}, { max_attempts: 1 });
  const two = await chat(harness, 'hi');
  expect(await runs(one, 'submit')).toBe('wait');
  expect(await paused()).toEqual(['upstream']);
  expect(await runs(two, 'call')).toBe('wait');
  await rounds(4);
  await harness.control.halfOpen('upstream');
  await watch();
  expect(await runs(one, 'submit')).toBe('wait');
  expect((await harness.control.reasons()).get('upstream')?.state).toBe('paused');
  for (const job of [one, two]) expect(await job.read()).toMatchObject({ status: 'queued', attempts_used: 0 });
  expect(await paused()).toEqual(['upstream']);
});

test('when a 404 in unknown words comes from the API itself then that job alone uses up its attempts', async () => {
  const harness = await startHarness();
  const { runs, paused } = stagesOf(harness);
  harness.emulator.configure(says('no way to do this', 'nano-banana-2', 404));
  const job = await image(harness, 'a lighthouse', {}, { max_attempts: 2 });
  await runs(job, 'submit');
  expect(await job.read()).toMatchObject({ status: 'queued', attempts_used: 1 });
  await harness.clock.advance(60_000);
  await runs(job, 'submit');
  expect(await job.read()).toMatchObject({ status: 'failed', attempts_used: 2, error: { code: 'upstream_failed' } });
  expect(await paused()).toEqual([]);
});
