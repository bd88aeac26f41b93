import { Agent } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startEmulator, systemClock, VirtualClock } from '../src/index.ts';
import { ask, json, start, TASK_MS, type Task } from './client.ts';

describe('a script', () => {
  test('strikes the next requests that fit, and no others', async () => {
    const { emulator, submit, pollTask } = await start();
    const [a, b] = [await submit('apple'), await submit('berry')];
    emulator.script({ fault: 'F9:as=html', skip: 1, times: 2, prompt: 'apple' });
    const types: unknown[] = [];
    for (const id of [a, b, a, a, b, a]) types.push((await pollTask(id)).text.startsWith('<html>'));
    expect(types).toEqual([false, false, true, true, false, false]);
    expect(emulator.pendingScript).toEqual([]);
  });

  test('can give a task a fault that strikes later', async () => {
    const { emulator, submit, pollTask } = await start();
    emulator.script({ fault: 'F12:as=null', on: 'submit', model: 'nano-banana-2' });
    const [struck, spared] = [await submit(), await submit()];
    await emulator.advance(TASK_MS);
    expect([json<Task>(await pollTask(struck)).results, json<Task>(await pollTask(spared)).results]).toEqual([
      null,
      [expect.anything()],
    ]);
  });

  test.each(['F99', 'F9:as=nonsense', 'F9:color=red', 'F9:at=webhook', 'F9:times=often', 'F6:ms'])(
    'with the fault %s is not taken',
    async (fault) => {
      const { emulator } = await start();
      expect(() => emulator.script({ fault })).toThrow(/fault/);
    },
  );
});

describe('a fault mix', () => {
  test('strikes about as often as it says, and the same ones under the same seed', async () => {
    const run = async (): Promise<boolean[]> => {
      const { submit, pollTask } = await start({ mix: [{ fault: 'F9:as=empty', p: 0.3 }] });
      const id = await submit();
      const struck: boolean[] = [];
      for (let i = 0; i < 60; i++) struck.push((await pollTask(id)).text === '');
      return struck;
    };
    const [first, second] = [await run(), await run()];
    expect(second).toEqual(first);
    const hits = first.filter(Boolean).length;
    expect(hits).toBeGreaterThan(6);
    expect(hits).toBeLessThan(32);
  });
});

describe('what a request asks for itself', () => {
  test('by header', async () => {
    const { emulator, submit, pollTask } = await start();
    const id = await submit('x', {
      'x-emulator-task-ms': '50',
      'x-emulator-outcome': 'failed',
      'x-emulator-error': 'Invalid input parameters',
    });
    await emulator.advance(50);
    expect(json<Task>(await pollTask(id))).toMatchObject({ status: 'failed', error: 'Invalid input parameters' });
  });

  test('several faults in one header', async () => {
    const { submit, pollTask } = await start();
    const id = await submit('x', { 'x-emulator-fault': 'F10:as=missing; F11' });
    const task = json<Task>(await pollTask(id));
    expect(task).toEqual({ id, status: 'running', error: 'upstream busy, retrying' });
  });

  test.each([
    'x [[fault=F99]]',
    'x [[colour=red]]',
    'x [[task-ms=soon]]',
    'x [[outcome=maybe]]',
    'x [[format=gif]]',
    'x [[size=big]]',
  ])('%s is a mistake of the test, and is reported as one', async (prompt) => {
    const { post } = await start();
    const reply = await post('/v1/api/generate', { model: 'nano-banana-2', prompt, replyType: 'async' });
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining('emulator: ')]);
  });

  test('delay-ms holds the request before a task exists', async () => {
    const { emulator, post } = await start();
    const call = post('/v1/api/generate', { model: 'nano-banana-2', prompt: 'x [[delay-ms=500]]', replyType: 'async' });
    await emulator.waitFor(() => emulator.clock instanceof VirtualClock && emulator.clock.waiting === 1);
    await emulator.advance(499);
    expect(emulator.ledger.submits).toEqual([]);
    await emulator.advance(1);
    expect((await call).status).toBe(200);
  });

  test('hold-ack-ms holds the answer after the task is paid for', async () => {
    const { emulator, post } = await start();
    const call = post('/v1/api/generate', { model: 'nano-banana-2', prompt: 'x [[hold-ack-ms=3000]]', replyType: 'async' });
    const submit = await emulator.waitFor(() => emulator.ledger.submits[0]);
    expect([submit.outcome, submit.answered, emulator.ledger.tasks.length]).toEqual(['accepted', false, 1]);
    await emulator.advance(3000);
    expect((await call).status).toBe(200);
    await emulator.waitFor(() => submit.answered);
  });
});

describe('steering', () => {
  test('ends a task early, as asked', async () => {
    const { emulator, submit, pollTask } = await start();
    const [good, bad] = [await submit(), await submit()];
    expect([
      emulator.endTask(good),
      emulator.endTask(bad, 'failed', 'no'),
      emulator.endTask('none'),
      emulator.endTask(bad),
    ]).toEqual([true, true, false, false]);
    expect(json<Task>(await pollTask(good)).status).toBe('succeeded');
    expect(json<Task>(await pollTask(bad))).toMatchObject({ status: 'failed', error: 'no' });
  });

  test('ends a synchronous task early, and its call is answered', async () => {
    const { emulator, post } = await start();
    const call = post('/v1/api/generate', { model: 'nano-banana-2', prompt: 'x', replyType: 'json' });
    const task = await emulator.waitFor(() => emulator.ledger.tasks[0]);
    emulator.endTask(task.id);
    expect(json<Task>(await call).status).toBe('succeeded');
  });

  test('reports submits when they are judged, before they are answered', async () => {
    const { emulator, submit } = await start();
    const heard: unknown[] = [];
    emulator.on('submit', (entry) =>
      heard.push([entry.answered, emulator.ledger.tasksOf({ taskId: entry.taskId ?? '' }).length]),
    );
    await submit();
    expect(heard).toEqual([[false, 1]]);
  });

  test('reset forgets everything but settings and time', async () => {
    const { emulator, submit, pollTask } = await start({ credits: 5000 });
    const id = await submit();
    emulator.script({ fault: 'F3' });
    emulator.reset();
    expect(emulator.ledger).toMatchObject({ submits: [], tasks: [], credits: 5000, creditsTaken: 0 });
    expect([emulator.requests.length, emulator.pendingScript.length]).toEqual([0, 0]);
    expect((await pollTask(id)).status).toBe(404);
  });

  test.each<[object, RegExp]>([
    [{ taskMs: 'soon' }, /taskMs/],
    [{ nonsense: 1 }, /unknown setting nonsense/],
    [{ failedStatus: 500 }, /failedStatus/],
    [{ mix: [{ fault: 'F99', p: 1 }] }, /F99/],
  ])('settings %j are refused', async (patch, message) => {
    const { emulator } = await start();
    const before = { ...emulator.settings };
    expect(() => emulator.configure(patch)).toThrow(message);
    expect(emulator.settings).toEqual(before);
  });

  test('a real clock cannot be advanced', async () => {
    const { emulator } = await start({ clock: systemClock });
    await expect(emulator.advance(1)).rejects.toThrow('virtual clock');
  });

  test('waitFor rejects with what it waited for', async () => {
    const { emulator } = await start();
    await expect(emulator.waitFor(() => emulator.ledger.submits.length === 3, 30)).rejects.toThrow('submits.length === 3');
  });
});

describe('limits', () => {
  test('more than rpm paid calls in a minute meet 429 with Retry-After, and a minute later pass', async () => {
    const { emulator, post } = await start({ limits: { rpm: 2, concurrent: 0 }, retryAfterS: 9 });
    const send = (): ReturnType<typeof post> =>
      post('/v1/api/generate', { model: 'nano-banana-2', prompt: 'x', replyType: 'async' });
    const replies = [await send(), await send(), await send()];
    expect(replies.map((reply) => reply.status)).toEqual([200, 200, 429]);
    expect(replies[2]?.headers['retry-after']).toBe('9');
    expect(emulator.ledger.submits.at(-1)?.outcome).toBe('rate_limited');
    await emulator.advance(60_000);
    expect((await send()).status).toBe(200);
  });

  test('tasks and synchronous calls share the places', async () => {
    const { emulator, post } = await start({ limits: { rpm: 0, concurrent: 2 } });
    const task = { model: 'nano-banana-2', prompt: 'x', replyType: 'async' };
    const talk = { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'x' }] };
    await post('/v1/api/generate', task);
    const held = post('/v1/chat/completions', talk);
    await emulator.waitFor(() => emulator.ledger.submits.length === 2);
    expect((await post('/v1/api/generate', task)).status).toBe(429);
    await emulator.advance(TASK_MS);
    expect((await held).status).toBe(200);
    expect((await post('/v1/api/generate', task)).status).toBe(200);
  });
});

describe('two nodes', () => {
  const order = { model: 'nano-banana-2', prompt: 'x', replyType: 'async' };

  test.each([
    ['shared', [200, 200], 8800],
    ['split', [200, 404], 10_000],
  ] as const)('with %s stores', async (stores, statuses, other) => {
    const { emulator } = await start({ nodes: 2, stores, credits: 10_000 });
    const [first, second] = emulator.nodes.map((node) => node.url);
    const { id } = json<Task>(await ask(`${first}/v1/api/generate`, { body: order }));
    const looks = await Promise.all([first, second].map((url) => ask(`${url}/v1/api/result?id=${id}`)));
    expect(looks.map((reply) => reply.status)).toEqual(statuses);
    expect(emulator.ledger.balance(1)).toBe(other);
    expect(emulator.ledger.tasks[0]?.node).toBe(0);
  });

  test('one of them can be down and come back on its port', async () => {
    const { emulator } = await start({ nodes: 2 });
    const node = emulator.nodes[0];
    const url = node?.url;
    await node?.stop();
    expect(await ask(`${url}/v1/api/generate`, { body: order })).toMatchObject({ end: 'none', code: 'ECONNREFUSED' });
    expect((await ask(`${emulator.nodes[1]?.url}/v1/api/generate`, { body: order })).status).toBe(200);
    await node?.start();
    expect((await ask(`${url}/v1/api/generate`, { body: order })).status).toBe(200);
  });

  test('a script can strike one node', async () => {
    const { emulator } = await start({ nodes: 2 });
    emulator.script({ fault: 'F4', node: 1 });
    const statuses = [];
    for (const node of emulator.nodes) statuses.push((await ask(`${node.url}/v1/api/generate`, { body: order })).status);
    expect(statuses).toEqual([200, 502]);
  });
});

describe('the steering over HTTP', () => {
  test('does what the library does', async () => {
    const { emulator, post, get, submit, pollTask } = await start();
    expect((await get('/_emulator/')).text).toContain('POST /_emulator/script');
    expect(json(await post('/_emulator/settings', { taskMs: 200, credits: 9000 }))).toMatchObject({ taskMs: 200 });
    expect(json(await post('/_emulator/script', [{ fault: 'F9:as=html' }]))).toMatchObject({
      pending: [{ fault: 'F9:as=html' }],
    });
    const id = await submit('found again');
    expect((await pollTask(id)).text).toMatch(/^<html>/);
    expect(json(await post('/_emulator/clock/advance', { ms: 200 }))).toEqual({ now: emulator.now() });
    expect(json(await get('/_emulator/ledger?prompt=found&status=succeeded'))).toMatchObject({
      credits: 7800,
      tasks: [{ id }],
      submits: [],
    });
    expect(json(await get('/_emulator/ledger/totals'))).toMatchObject({ taskCount: 1, succeeded: 1, doublyPaid: [] });
    expect(json(await get('/_emulator/requests?kind=result'))).toMatchObject({ requests: [{ kind: 'result', status: 200 }] });
    const held = submit('x [[hold-ack=gate]]');
    expect(json(await get('/_emulator/wait?kind=image&answered=false&count=1'))).toMatchObject({
      found: [{ outcome: 'accepted', answered: false }],
    });
    expect(json(await post('/_emulator/end', { id: emulator.ledger.tasks[1]?.id, outcome: 'failed' }))).toEqual({ ended: true });
    await emulator.waitFor(() => emulator.held('gate') === 1);
    expect(json(await post('/_emulator/release', { name: 'gate' }))).toEqual({ released: 1 });
    await held;
    expect(json(await post('/_emulator/reset', {}))).toMatchObject({ taskCount: 0 });
  });

  test.each<[string, unknown]>([
    ['/_emulator/settings', { nonsense: 1 }],
    ['/_emulator/script', { on: 'poll' }],
    ['/_emulator/script', { fault: 'F99' }],
    ['/_emulator/settings', 'no json'],
    ['/_emulator/end', { id: 'x', outcome: 'great' }],
    ['/_emulator/clock/advance', {}],
  ])('%s refuses %j', async (path, body) => {
    const { post } = await start();
    const reply = await post(path, body);
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining('emulator: ')]);
  });
});

test('ten thousand tasks at once hold no timer each, and all of them end', async () => {
  const clock = new VirtualClock();
  const { emulator, pollTask } = await start({ clock });
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  onTestFinished(() => agent.destroy());
  const submit = (n: number): Promise<unknown> =>
    ask(`${emulator.url}/v1/api/generate`, { agent, body: { model: 'gpt-image-2', prompt: `task ${n}`, replyType: 'async' } });
  await Promise.all(Array.from({ length: 10_000 }, (_, n) => submit(n)));
  expect([emulator.ledger.tasksOf({ status: 'running' }).length, clock.waiting]).toEqual([10_000, 0]);
  await emulator.advance(TASK_MS);
  const { tasks } = emulator.ledger;
  expect(tasks.filter((task) => task.status === 'succeeded').length).toBe(10_000);
  expect(new Set(tasks.map((task) => task.id)).size).toBe(10_000);
  expect(json<Task>(await pollTask(tasks[9999]?.id ?? '')).status).toBe('succeeded');
});

test('a stalled upload is not judged before the stall is over', async () => {
  const { emulator, post } = await start({ uploadStallMs: 5000 });
  const call = post('/v1/api/generate', { model: 'nano-banana-2', prompt: 'x'.repeat(4_000_000), replyType: 'async' });
  await emulator.waitFor(() => emulator.requests.length === 1);
  await emulator.advance(4999);
  expect(emulator.ledger.submits).toEqual([]);
  await emulator.advance(1);
  expect((await call).status).toBe(200);
});

test('a path that is no URL is a 404', async () => {
  const { get } = await start();
  expect((await get('//')).status).toBe(404);
});

test('close may be called twice, and cuts what is open', async () => {
  const emulator = await startEmulator({ taskMs: 60_000 });
  const call = ask(`${emulator.url}/v1/api/generate`, { body: { model: 'nano-banana-2', prompt: 'x' } });
  await emulator.waitFor(() => emulator.ledger.submits.length === 1);
  await emulator.close();
  await emulator.close();
  expect((await call).end).toBe('none');
});

test('a port that is taken rejects the start', async () => {
  const { emulator } = await start();
  await expect(startEmulator({ port: Number(new URL(emulator.url).port) })).rejects.toThrow('EADDRINUSE');
});
