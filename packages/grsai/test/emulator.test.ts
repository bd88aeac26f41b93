import { setTimeout as wait } from 'node:timers/promises';
import { type Emulator, startEmulator, VirtualClock } from '@grsai-jobs/grsai-emulator';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { assemble, type Grsai, GrsaiError, isEmptyCompletion, isTerminal, type Submitted, type TaskState } from '../src/index.ts';
import { KNOWN_MODELS } from '../src/models/index.ts';
import { client, drain, errorOf, KEY } from './support.ts';

/** Against the stand-in upstream, which knows nothing of this package: flows of upstream.md §13.1, faults of §13.2. */
const SETTINGS = { taskMs: 30, chatMs: 5, imageEdge: 16, models: {}, coding: 'none' } as const;

let emulator: Emulator;
let grsai: Grsai;
let goesOn = true;
/** Time goes on in small steps, none of which is made up for: however busy the machine is, no task ends before its first poll. */
async function time(): Promise<void> {
  for (; goesOn; await wait(5)) await emulator.advance(5);
}
beforeAll(async () => {
  emulator = await startEmulator({ ...SETTINGS, seed: 'grsai', clock: new VirtualClock() });
  void time();
});
afterAll(() => {
  goesOn = false;
  return emulator.close();
});
beforeEach(() => {
  emulator.reset();
  emulator.configure(SETTINGS);
  grsai = client([emulator.url]);
});
afterEach(() => grsai.close());

const task = (prompt: string) => ({ model: 'nano-banana-2', prompt });
const chat = (content: string) => ({ model: 'gemini-3.1-pro', messages: [{ role: 'user', content }] });
const submit = (prompt: string): Promise<Submitted> => grsai.images.submit(task(prompt));
const poll = ({ id, base }: Submitted): Promise<TaskState> => grsai.images.result(id, { base });
const sayOf = (completion: Awaited<ReturnType<typeof grsai.chat.complete>>) => completion.choices[0]?.message.content;

/** Polls until the task has ended, whatever comes in between, and tells everything that came. */
async function follow(
  submitted: Submitted,
  ask: (submitted: Submitted) => Promise<TaskState> = poll,
): Promise<{ end: TaskState; seen: (TaskState | GrsaiError)[] }> {
  const seen: (TaskState | GrsaiError)[] = [];
  for (;;) {
    const state = await ask(submitted).catch((error: unknown) => {
      if (error instanceof GrsaiError && error.retryable) return error;
      throw error;
    });
    seen.push(state);
    if (!(state instanceof GrsaiError) && isTerminal(state)) return { end: state, seen };
    await wait(5);
  }
}

const states = (seen: readonly (TaskState | GrsaiError)[]): TaskState[] =>
  seen.filter((item): item is TaskState => !(item instanceof GrsaiError));

describe('flows', () => {
  test('N1: an async task runs, succeeds and gives a file', async () => {
    const { end, seen } = await follow(await submit('[[task-ms=300]] a paper lighthouse'));
    expect(states(seen)[0]?.status).toBe('running');
    expect(end).toMatchObject({ status: 'succeeded', urls: [expect.stringMatching(/^http/)] });
    const file = await grsai.images.download(end.urls[0] ?? '');
    expect(file.contentType).toMatch(/^image\/(?:png|jpeg)$/);
    const bytes = Buffer.concat(await drain(file.chunks));
    expect(bytes.length).toBe(file.length);
  });

  test.each([200, 400] as const)('N2: the end of a bad task comes with HTTP %i', async (failedStatus) => {
    emulator.configure({ failedStatus });
    expect((await follow(await submit('[[outcome=failed]]'))).end).toMatchObject({ status: 'failed', category: 'failed' });
    expect((await follow(await submit('[[outcome=violation]]'))).end).toMatchObject({
      status: 'violation',
      category: 'moderation',
    });
  });

  test('N3, N4: ids of synchronous calls cannot be asked for', async () => {
    const held = await grsai.images.generate(task('synchronous'));
    const streamed = await drain(grsai.images.stream(task('streamed')));
    expect(held.status).toBe('succeeded');
    expect(streamed.at(-1)?.status).toBe('succeeded');
    expect(new Set(streamed.map(({ id }) => id)).size).toBe(1);
    for (const { id } of [held, ...streamed]) {
      expect(await grsai.images.result(id, { base: emulator.url })).toMatchObject({ id, status: 'missing' });
    }
  });

  test('N4: a task stream may end with [DONE]', async () => {
    emulator.configure({ taskStreamDone: true });
    expect((await drain(grsai.images.stream(task('streamed')))).at(-1)?.status).toBe('succeeded');
  });

  test('N8: chat, plain and streamed', async () => {
    expect(sayOf(await grsai.chat.complete(chat('[[reply=纸灯塔]]')))).toBe('纸灯塔');
    for (const chatStreamDone of [true, false]) {
      emulator.configure({ chatStreamDone });
      expect(sayOf(await assemble(grsai.chat.stream(chat('[[reply=纸灯塔 🏮]]'))))).toBe('纸灯塔 🏮');
    }
  });

  test('N9: a synchronous image call gives links', async () => {
    expect((await grsai.images.generations(task('generations'))).urls).toHaveLength(1);
  });

  test('N10: credits go down by what was charged; a model shows its health', async () => {
    const before = await grsai.account.credits();
    await submit('paid');
    expect(before - (await grsai.account.credits())).toBe(emulator.ledger.tasks[0]?.charged);
    emulator.configure({ models: { 'nano-banana-pro': 'maintenance' } });
    expect(await grsai.models.status('nano-banana-2')).toMatchObject({ available: true });
    expect(await grsai.models.status('nano-banana-pro')).toMatchObject({ available: false });
  });
});

describe('faults', () => {
  test('F1: a bad key shows differently on every path, and the probe shows it', async () => {
    await using bad = client([emulator.url], {}, { apiKey: 'sk-bad00000000000000000000000000000' });
    expect(await errorOf(bad.images.submit(task('x')))).toMatchObject({ outcome: 'unknown', needsKeyProbe: true });
    expect(await errorOf(bad.images.generate(task('x')))).toMatchObject({ outcome: 'refused', category: 'auth' });
    expect(await errorOf(bad.chat.complete(chat('x')))).toMatchObject({ outcome: 'refused', category: 'auth', status: 400 });
    expect(await errorOf(bad.images.generations(task('x')))).toMatchObject({ outcome: 'refused', category: 'auth' });
    expect(await bad.probeKey()).toBe('refused');
    expect(await grsai.probeKey()).toBe('valid');
    const submitted = await submit('[[task-ms=60000]] read with a bad key');
    expect(await bad.images.result(submitted.id, submitted)).toMatchObject({ id: submitted.id, status: 'running' });
    expect(emulator.ledger.submitsOf({ outcome: 'accepted', kind: 'image' })).toHaveLength(1);
  });

  test('N10: the list of models says what the table knows, with states as they are now', async () => {
    emulator.configure({ models: { 'gpt-image-2': 'maintenance', 'nano-banana-2': 'removed', 'tomorrow-1': 'live' } });
    const { models, leftOut } = await grsai.models.list();
    const listed = new Map(models.map((model) => [model.id, model]));
    expect(leftOut).toBe(0);
    for (const { id, type, price, refunds } of KNOWN_MODELS.filter((model) => model.price !== null))
      expect(listed.get(id)).toMatchObject({ type, price, ...(type === 'image' ? { refunds } : {}) });
    expect(listed.get('gpt-image-2')).toMatchObject({ maintenance: 'model maintenance', closed: false });
    expect(listed.get('nano-banana-2')).toMatchObject({ maintenance: null, closed: true });
    expect(listed.get('tomorrow-1')).toMatchObject({ closed: false });
    expect(listed.get('minimax-h3')).toMatchObject({ type: 'video', price: { per_second: { '768p': 4000 } } });
    expect(listed.get('gpt-5.5')?.tokenLimit).toBe(65_536);
  });

  test.each(['gzip', 'deflate', 'deflate-raw', 'br', 'zstd', 'twice', 'liar'] as const)(
    'F23: the list of models is read when it is coded with %s',
    async (coding) => {
      emulator.configure({ coding });
      expect((await grsai.models.list()).models.length).toBeGreaterThan(30);
    },
  );

  test('F2: no credits is a refusal about money', async () => {
    emulator.setCredits(0);
    expect(await errorOf(submit('x'))).toMatchObject({ outcome: 'refused', category: 'balance', retryable: false });
  });

  test.each(['as=json', 'as=empty', 'as=json,retry-after=7'])('F3: a 429 (%s) is a matter of pace', async (form) => {
    const want = { outcome: 'refused', category: 'rate_limited', retryable: true };
    expect(await errorOf(submit(`[[fault=F3:${form}]]`))).toMatchObject(want);
    const error = await errorOf(grsai.chat.complete(chat(`[[fault=F3:${form}]]`)));
    expect(error).toMatchObject(want);
    if (form.includes('retry-after')) expect(error.retryAfterMs).toBe(7000);
  });

  test.each([500, 502, 503, 504])(
    'F4: HTTP %i of a front proxy leaves a submit unknown, a poll to be made again',
    async (status) => {
      for (const form of ['html', 'text']) {
        const fault = `F4:as=${form},status=${status}`;
        expect(await errorOf(submit(`[[fault=${fault}]]`))).toMatchObject({ outcome: 'unknown', status, retryable: false });
        emulator.script({ fault, on: 'poll' });
        expect((await follow(await submit('x'))).seen[0]).toMatchObject({ status, retryable: true });
      }
    },
  );

  test('F5: a body that is too large is bad input', async () => {
    expect(await errorOf(submit('[[fault=F5]]'))).toMatchObject({ outcome: 'refused', category: 'input', status: 413 });
  });

  test.each(['reset', 'close'])('F6: an answer lost by %s is unknown, and is not asked for twice', async (as) => {
    expect(await errorOf(submit(`[[fault=F6:as=${as}]]`))).toMatchObject({
      outcome: 'unknown',
      retryable: false,
      needsKeyProbe: false,
    });
    expect(emulator.ledger.submits).toHaveLength(1);
    expect(emulator.ledger.tasks).toHaveLength(1);
    expect(emulator.ledger.doublyPaid()).toEqual([]);
  });

  test.each(['open', 'sse', 'sse-open', 'chunks'])('F7: a whole answer sent as %s is read', async (as) => {
    const submitted = await submit(`[[fault=F7:as=${as}]] 纸灯塔`);
    expect(submitted.id).toBe(emulator.ledger.tasks[0]?.id);
    emulator.script({ fault: `F7:as=${as}`, on: 'poll' });
    expect((await follow(submitted)).end.status).toBe('succeeded');
    expect(sayOf(await grsai.chat.complete(chat(`[[fault=F7:as=${as}]][[reply=纸 🏮]]`)))).toBe('纸 🏮');
  });

  test('F8: a task that is not visible yet is missing, then there', async () => {
    const { seen, end } = await follow(await submit('[[fault=F8:ms=300]]'));
    expect(states(seen)[0]?.status).toBe('missing');
    expect(end.status).toBe('succeeded');
  });

  test.each(['empty', 'html', 'truncated', 'timeout', 'reset'])('F9: a poll answered by junk (%s) is made again', async (as) => {
    await using hasty = client([emulator.url], { queryMs: 100 });
    const { seen, end } = await follow(await submit(`[[fault=F9:as=${as}]]`), ({ id, base }) =>
      hasty.images.result(id, { base }),
    );
    expect(seen[0]).toMatchObject({ name: expect.stringMatching(/Error$/), retryable: true });
    expect(end.status).toBe('succeeded');
  });

  test('F10: progress may stand, fall or be missing, and a task may run for ever', async () => {
    expect(await poll(await submit('[[fault=F10:as=forever]]'))).toMatchObject({ status: 'running' });
    expect((await poll(await submit('[[fault=F10:as=frozen]][[task-ms=60000]]'))).progress).toBe(37);
    expect(await poll(await submit('[[fault=F10:as=missing]][[task-ms=60000]]'))).not.toHaveProperty('progress');
    for (const as of ['frozen', 'missing', 'falling']) {
      expect((await follow(await submit(`[[fault=F10:as=${as}]]`))).end.status).toBe('succeeded');
    }
  });

  test('F11: an error text while the task runs is no failure', async () => {
    const { seen, end } = await follow(await submit('[[fault=F11]][[task-ms=300]]'));
    expect(states(seen)[0]?.status).toBe('running');
    expect(states(seen)[0]?.raw).toContain('busy');
    expect(end).toMatchObject({ status: 'succeeded' });
    expect(end).not.toHaveProperty('error');
    expect((await follow(await submit('[[fault=F11]][[outcome=failed]]'))).end.status).toBe('failed');
  });

  test.each(['missing', 'null', 'empty', 'url-null'])('F12: succeeded with results %s has no link', async (as) => {
    expect((await follow(await submit(`[[fault=F12:as=${as}]]`))).end).toMatchObject({ status: 'succeeded', urls: [] });
  });

  test.each([
    ['strings', 'link'],
    ['object', 'link'],
    ['top-url', 'link'],
    ['data-url', 'inline'],
    ['b64_json', 'inline'],
  ])('F12: results as %s have their output', async (as, kind) => {
    const { end } = await follow(await submit(`[[fault=F12:as=${as}]]`));
    expect(end).toMatchObject({ status: 'succeeded', outputs: [{ kind }] });
  });

  test.each(['spaces', 'backticks'])('F12: a link wrapped in %s can be followed', async (as) => {
    const { end } = await follow(await submit(`[[fault=F12:as=${as}]]`));
    await drain((await grsai.images.download(end.urls[0] ?? '')).chunks);
  });

  test('F13: an unknown status word means running', async () => {
    const { seen, end } = await follow(await submit('[[fault=F13]][[task-ms=300]]'));
    expect(states(seen)[0]).toMatchObject({ status: 'running', raw: expect.stringContaining('reviewing') });
    expect(end.status).toBe('succeeded');
  });

  test('F14: an envelope may be there or not', async () => {
    expect((await follow(await submit('[[fault=F14]]'))).end.status).toBe('succeeded');
  });

  test.each(['before', 'middle', 'progress'])('F15: a task stream cut %s is unknown', async (as) => {
    const error = await errorOf(drain(grsai.images.stream(task(`[[fault=F15:as=${as}]]`))));
    expect(error).toMatchObject({ outcome: 'unknown', retryable: false });
    if (as === 'progress') expect(error.taskId).toBe(emulator.ledger.tasks[0]?.id);
  });

  test('F15: a last event without its blank line counts', async () => {
    expect((await drain(grsai.images.stream(task('[[fault=F15:as=no-blank]]')))).at(-1)?.status).toBe('succeeded');
  });

  test('F16: a task that fails by a passing text says so, and a new one may succeed', async () => {
    const prompt = '[[fault=F16]] twice';
    expect((await follow(await submit(prompt))).end).toMatchObject({ status: 'failed', category: 'transient' });
    expect((await follow(await submit(prompt))).end.status).toBe('succeeded');
    expect((await follow(await submit('[[fault=F16:text=generate failed,times=all]]'))).end).toMatchObject({
      category: 'failed',
    });
  });

  test.each(['input', 'output'])('F17: a violation at %s is policy, and kept charged', async (as) => {
    expect((await follow(await submit(`[[fault=F17:as=${as}]]`))).end).toMatchObject({
      status: 'violation',
      category: 'moderation',
    });
    expect(emulator.ledger.tasks[0]).toMatchObject({ refunded: 0 });
  });

  test.each(['404', '403', '500', '503', 'html', 'empty', 'truncated'])(
    'F18: a result file that is broken (%s) can be had again',
    async (as) => {
      const { end } = await follow(await submit(`[[fault=F18:as=${as}]]`));
      const url = end.urls[0] ?? '';
      const once = async () => drain((await grsai.images.download(url)).chunks);
      expect(await errorOf(once())).toMatchObject({ retryable: true });
      await once();
      expect(emulator.ledger.submits).toHaveLength(1);
    },
  );

  test('F18: the type of a file comes from its bytes', async () => {
    const { end } = await follow(await submit('[[fault=F18:as=type,times=all]][[format=jpeg-named-png]]'));
    expect(end.urls[0]).toMatch(/\.png$/);
    expect((await grsai.images.download(end.urls[0] ?? '')).contentType).toBe('image/jpeg');
  });

  test.each(['maintenance', 'removed'])('F20: a model that is %s is a matter of the model', async (as) => {
    expect(await errorOf(submit(`[[fault=F20:as=${as}]]`))).toMatchObject({ outcome: 'refused', category: 'model' });
    expect(await errorOf(grsai.chat.complete(chat(`[[fault=F20:as=${as}]]`)))).toMatchObject({ category: 'model' });
  });

  test('F21: chat that says nothing is not taken for chat that speaks', async () => {
    expect(isEmptyCompletion(await grsai.chat.complete(chat('[[fault=F21:as=empty]]')))).toBe(true);
    expect(isEmptyCompletion(await grsai.chat.complete(chat('hello')))).toBe(false);
  });

  test('F21: chat that fails once may be called again', async () => {
    for (const as of ['rix', 'failed']) {
      const body = chat(`[[fault=F21:as=${as}]][[reply=ok]]`);
      expect(await errorOf(grsai.chat.complete(body))).toMatchObject({ outcome: 'refused', category: 'failed', retryable: true });
      expect(sayOf(await grsai.chat.complete(body))).toBe('ok');
    }
  });

  test('F21: chat without a charset or [DONE] is whole, a cut stream is not', async () => {
    expect(sayOf(await grsai.chat.complete(chat('[[fault=F21:as=charset]][[reply=纸]]')))).toBe('纸');
    expect(sayOf(await assemble(grsai.chat.stream(chat('[[fault=F21:as=no-done]][[reply=纸 🏮]]'))))).toBe('纸 🏮');
    expect(await errorOf(drain(grsai.chat.stream(chat('[[fault=F21:as=cut]][[reply-bytes=2000]]'))))).toMatchObject({
      outcome: 'unknown',
      retryable: true,
    });
  });

  test('F22: a first byte later than the limit is unknown for a submit, to be repeated for the rest', async () => {
    await using hasty = client([emulator.url], { submitAnswerMs: 60, queryMs: 60, firstByteMs: 60 });
    expect(await errorOf(hasty.images.submit(task('[[fault=F22]]')))).toMatchObject({
      code: 'timeout',
      outcome: 'unknown',
      retryable: false,
    });
    expect(emulator.ledger.tasks).toHaveLength(1);
    expect(await errorOf(hasty.chat.complete(chat('[[fault=F22]]')))).toMatchObject({ code: 'timeout', retryable: true });
    emulator.script({ fault: 'F22', on: 'poll' });
    const submitted = await submit('x');
    expect(await errorOf(hasty.images.result(submitted.id, submitted))).toMatchObject({ code: 'timeout', retryable: true });
  });
});

test('a key never reaches a file host, a URL or an error, whatever happens', async () => {
  const errors = [
    await errorOf(submit('[[fault=F4]]')),
    await errorOf(submit('[[fault=F6]]')),
    await errorOf(grsai.chat.complete(chat('[[fault=F1]]'))),
  ];
  expect(JSON.stringify(errors)).not.toContain(KEY);
  expect(emulator.requests.map(({ path }) => path).join()).not.toContain(KEY);
});
