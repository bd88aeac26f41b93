import { type ChatChunk, GrsaiUnfinishedError } from '@grsai-jobs/grsai';
import { type JobStore, MOST_STREAM_BYTES, PieceDecoder, type StreamLine } from '@grsai-jobs/job-store';
import { JobRequest, type Submitting } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { createTokenStreams } from '../src/runner/token-streams.ts';
import { acceptedJob, type Harness, handlersOf, startHarness } from './harness.ts';

const chunk = (content: string, finish_reason: string | null = null): ChatChunk => ({
  id: 'c',
  choices: [{ index: 0, delta: { content }, finish_reason }],
});
const unfinished = () =>
  new GrsaiUnfinishedError({ code: 'no_finish_reason', outcome: 'unknown', retryable: true, message: 'cut', status: 200 });

/** A chat whose calls upstream bring these chunks one after another, and what its stream holds after each call. */
async function startChat(harness: Harness, calls: readonly (readonly (ChatChunk | Error)[])[], input: object = { stream: true }) {
  const rest = [...calls];
  async function* stream() {
    for (const each of rest.shift() ?? []) {
      if (each instanceof Error) throw each;
      yield each;
    }
  }
  const complete = async () => ({ choices: [{ index: 0, message: { content: 'whole' }, finish_reason: 'stop' }] });
  const { call } = handlersOf(harness, {
    grsai: { ...harness.grsai, chat: { ...harness.grsai.chat, stream, complete } } as unknown as Harness['grsai'],
  });
  const messages = [{ role: 'user', content: 'hi' }];
  const job = await acceptedJob(harness, {}, () => ({
    ...JobRequest.parse({ type: 'chat', input: { model: 'gemini-3.1-pro', messages, ...input } }),
    on_unknown_submit: 'resubmit',
  }));
  const lines = () => harness.store.streams.read(job.id, 0, 1000);
  const run = async () => {
    await call({ entry: { id: job.id, step: 1 }, stalled: false });
    return await lines();
  };
  return { ...job, run };
}

const textOf = (lines: readonly StreamLine[]): string => {
  const decoder = new PieceDecoder();
  return lines
    .flatMap(({ pieces }) => decoder.read(pieces) as unknown as ChatChunk[])
    .map(({ choices }) => choices[0]?.delta?.content ?? '')
    .join('');
};

test('when a chat is streamed then its pieces are there before it has ended, and the last of them says that it is whole', async () => {
  const harness = await startHarness();
  const job = await startChat(harness, [[chunk('one '), chunk('two '), chunk('three', 'stop')]]);
  const lines = await job.run();
  expect(textOf(lines)).toBe('one two three');
  expect(lines.map(({ whole }) => whole)).toEqual([...lines.slice(1).map(() => false), true]);
  expect(lines[0]).toMatchObject({ first: 1, number: 1 });
  expect((await job.read()).status).toBe('succeeded');
});

test('when its caller asked for no stream then nothing is written but what a job without one writes', async () => {
  const harness = await startHarness();
  const job = await startChat(harness, [], {});
  expect(await job.run()).toEqual([]);
  expect((await job.read()).status).toBe('succeeded');
});

test('when an answer may be cut short and the next one is whole then only that one says so', async () => {
  const harness = await startHarness();
  const job = await startChat(harness, [
    [chunk('one '), unfinished()],
    [chunk('one '), chunk('two', 'stop')],
  ]);
  const first = await job.run();
  expect([textOf(first), first.some(({ whole }) => whole)]).toEqual(['one ', false]);
  const second = await job.run();
  expect([textOf(second), second.at(-1)?.whole, second[0]?.number]).toEqual(['one two', true, 2]);
  expect(second[0]?.attempt).toBeGreaterThan(first[0]?.attempt ?? 0);
});

test('when the answer before had come further then what was streamed last is not said to be whole', async () => {
  const harness = await startHarness();
  const job = await startChat(harness, [
    [chunk('a long beginning'), unfinished()],
    [chunk('short'), unfinished()],
  ]);
  await job.run();
  expect((await job.run()).some(({ whole }) => whole)).toBe(false);
  expect(await job.read()).toMatchObject({ output: { completion: { choices: [{ message: { content: 'a long beginning' } }] } } });
});

test('when Redis takes nothing more of a stream then the chat ends as it would have', async () => {
  const harness = await startHarness();
  const refusing = { append: () => Promise.reject(new Error('OOM command not allowed')), read: harness.store.streams.read };
  const store = { ...harness.store, streams: refusing } as unknown as JobStore;
  const job = await startChat({ ...harness, store }, [[chunk('one '), chunk('two', 'stop')]]);
  await job.run();
  expect(await job.read()).toMatchObject({
    status: 'succeeded',
    output: { completion: { choices: [{ message: { content: 'one two' } }] } },
  });
});

/** A writer whose time and writes the test holds. */
function startWriter(streams = 1) {
  const writes: Pick<StreamLine, 'first' | 'count' | 'whole'>[] = [];
  const timers: { at: number; run: () => void }[] = [];
  let now = 0;
  let answer: () => Promise<string> = async () => 'kept';
  const tokens = createTokenStreams({
    store: {
      streams: {
        append: (_: string, { first, count, whole }: StreamLine) => {
          writes.push({ first, count, whole });
          return answer();
        },
      } as unknown as JobStore['streams'],
    },
    timers: {
      elapsed: () => now,
      after: (ms, run) => {
        const timer = { at: now + ms, run };
        timers.push(timer);
        return () => void timers.splice(timers.indexOf(timer), 1);
      },
    },
    log: { debug: () => undefined } as never,
  });
  const job = { id: 'job_1', ver: 2, attempts_used: 0, lease: { token: 't' }, doc: { type: 'chat', input: { stream: true } } };
  const [stream] = Array.from({ length: streams }, () => tokens.open(job as Submitting));
  if (stream === undefined) throw new Error('no stream');
  return {
    ...{ writes, stream, timers },
    answersWith: (next: () => Promise<string>) => {
      answer = next;
    },
    /** Lets time pass, and what was written be answered. */
    async pass(ms: number) {
      await new Promise((resolve) => setImmediate(resolve));
      now += ms;
      for (const timer of timers.splice(0).filter((each) => each.at <= now || !timers.push(each))) timer.run();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test.each([
  ['few', 1, 50],
  ['many', 201, 250],
])(
  'when pieces come one after another in %s streams then the first is written at once, the others together',
  async (_, open, ms) => {
    const { stream, writes, pass } = startWriter(open);
    stream.piece(chunk('a'));
    expect(writes).toHaveLength(1);
    for (const text of ['b', 'c', 'd']) stream.piece(chunk(text));
    await pass(ms - 1);
    expect(writes).toHaveLength(1);
    await pass(1);
    expect(writes).toEqual([
      { first: 1, count: 1, whole: false },
      { first: 2, count: 1, whole: false },
    ]);
    await pass(10 * ms);
    stream.piece(chunk('e'));
    expect(writes).toHaveLength(3);
  },
);

test('when Redis does not answer then what waits is bounded, and nothing more is written', async () => {
  const { stream, writes, pass, answersWith } = startWriter();
  const answered = Promise.withResolvers<string>();
  answersWith(() => answered.promise);
  stream.piece(chunk('a'));
  for (let n = 0; n < 10; n += 1) stream.piece(chunk('x'.repeat(MOST_STREAM_BYTES / 8)));
  answered.resolve('kept');
  await pass(1000);
  stream.piece(chunk('b'));
  stream.close({ whole: true, ended: true });
  expect(writes).toHaveLength(1);
});

test('when a later attempt has begun then the earlier one writes no more', async () => {
  const { stream, writes, pass, answersWith } = startWriter();
  answersWith(async () => 'stale');
  stream.piece(chunk('a'));
  await pass(100);
  stream.piece(chunk('b'));
  await pass(100);
  stream.close({ whole: true, ended: true });
  expect(writes).toHaveLength(1);
});

test('when a call is over then what waits is written at once, and no timer stays', async () => {
  const { stream, writes, timers, pass } = startWriter();
  stream.piece(chunk('a'));
  await pass(10);
  stream.piece(chunk('b'));
  expect(timers).toHaveLength(1);
  stream.close({ whole: true, ended: true });
  stream.close({ whole: false, ended: false });
  expect(writes.at(-1)).toEqual({ first: 2, count: 1, whole: true });
  expect([writes.length, timers.length]).toEqual([2, 0]);
});
