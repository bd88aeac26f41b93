import { createJobStore } from '@grsai-jobs/job-store';
import { type JobDoc, JobRequest } from '@grsai-jobs/jobs';
import { connectRedis } from '@grsai-jobs/redis';
import { createLogger, createSliceQueue, systemTimers } from '@grsai-jobs/runtime';
import { startRedis, VirtualClock } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { createUlids } from '../src/ulids.ts';
import { createHeldAnswers } from '../src/use-cases/held-answers.ts';

const DOC: JobDoc = {
  ...JobRequest.parse({ type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'a' }] } }),
  on_unknown_submit: 'resubmit',
};
const SILENT_MS = 10_001;
const LEFT_MS = 60_001;

/** The answers that one process holds, beside another process that lives. Of what it says Redis can miss the question or the answer. */
async function start() {
  const server = await startRedis();
  const redis = await connectRedis(server.url, 'consumer', { onError: () => undefined });
  onTestFinished(async () => {
    redis.disconnect();
    await server.stop();
  });
  const clock = new VirtualClock(1_800_000_000_000);
  // Nobody listens on a channel here.
  const { answers, transitions } = createJobStore({ redis, prefix: 'gj', clock, scriptClock: clock, listenersCount: false });
  const lost = { question: false, answer: false };
  const woken: string[] = [];
  async function said<T>(run: () => Promise<T>): Promise<T> {
    if (lost.question) throw new Error('the question was lost');
    const answer = await run();
    if (lost.answer) throw new Error('the answer was lost');
    return answer;
  }
  const held = createHeldAnswers({
    answers: {
      ...answers,
      claim: (request) => said(() => answers.claim(request)),
      settle: (...end) => said(() => answers.settle(...end)),
    },
    wake: async (id) => void woken.push(id),
    process: 'one',
    newUlid: createUlids(),
    clock,
    slices: createSliceQueue({ now: () => clock.now() }),
    timers: { sleep: systemTimers.sleep, elapsed: () => clock.now() },
    log: createLogger({ name: 'test', level: 'silent', pretty: false }),
  });
  await held.beat();
  const request = (body: string) => ({
    ...{ tenant: 'acme', keyId: 'key', route: 'POST /', body, jobs: 1, again: false, lifeMs: 86_400_000, leaves: true },
  });
  /** What is sent again gets the job of before, or makes one. */
  async function ask(body: string) {
    const answer = await held.hold(request(body));
    if (!answer.claimed) for (const id of answer.jobs) await transitions.create({ id, tenant: 'acme', doc: DOC });
    return answer;
  }
  /** So much later, as the other process says that it lives. */
  async function pass(ms: number): Promise<void> {
    clock.advance(ms);
    await answers.beat('two');
  }
  const left = async () => (await answers.left()).flatMap(({ jobs }) => jobs);
  return { held, ask, pass, left, lost, woken };
}

test('when a process could not say that it lives for a while then the chats of its callers go on', async () => {
  const { held, ask, pass, left, woken } = await start();
  const answer = await ask('a');
  await pass(SILENT_MS);
  expect(await left()).toEqual([]);
  await held.beat();
  expect(woken).toEqual(answer.jobs);
  await pass(LEFT_MS);
  expect(await left()).toEqual([]);
  await held.beat();
  await answer.settle('left');
  await pass(LEFT_MS);
  expect(await left()).toEqual(answer.jobs);
});

test('when Redis does not hear what became of an answer then it is told once more', async () => {
  const { held, ask, pass, left, lost } = await start();
  const [one, other] = [await ask('a'), await ask('b')];
  lost.question = true;
  await one.settle('left');
  await other.settle('left');
  await held.beat();
  lost.question = false;
  expect(await ask('a')).toMatchObject({ claimed: true, jobs: one.jobs });
  await held.beat();
  await pass(LEFT_MS);
  expect(await left()).toEqual(other.jobs);
});

test('when nobody hears that an answer was claimed then the next one gets it', async () => {
  const { ask, lost } = await start();
  const first = await ask('a');
  await first.settle('left');
  lost.answer = true;
  await expect(ask('a')).rejects.toThrow('lost');
  lost.answer = false;
  expect(await ask('a')).toMatchObject({ claimed: true, jobs: first.jobs });
});
