import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { json, start, TASK_MS, type Task, type TestEmulator } from './client.ts';

interface Receiver {
  readonly url: string;
  readonly posts: { readonly body: Task; readonly headers: Readonly<Record<string, unknown>> }[];
}

async function startReceiver(): Promise<Receiver> {
  const posts: Receiver['posts'] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (piece) => {
      text += piece;
    });
    request.on('end', () => {
      posts.push({ body: JSON.parse(text) as Task, headers: request.headers });
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve()).closeAllConnections()));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, posts };
}

/** Submits with a webhook and lives through the task's time in quarters, `after` which so many posts are to have arrived. */
async function run(
  { emulator, post }: TestEmulator,
  prompt: string,
  after: readonly number[],
  more: object = {},
): Promise<{ id: string; got: Receiver['posts'] }> {
  const receiver = await startReceiver();
  const ack = await post('/v1/draw/nano-banana', { model: 'nano-banana-2', prompt, webHook: receiver.url, ...more });
  for (const count of after) {
    await emulator.advance(TASK_MS / 4);
    await emulator.waitFor(() => emulator.ledger.webhooks.length === count);
  }
  await emulator.advance(TASK_MS);
  return { id: json<{ data: Task }>(ack).data.id, got: receiver.posts };
}

const EACH_QUARTER = [1, 2, 3, 4];
const AT_THE_END = [0, 0, 0, 1];

const statuses = (got: Receiver['posts']): string[] => got.map(({ body }) => body.status);

describe('N7 a webhook', () => {
  test('gets progress and the end, unsigned, in the shape of the legacy task', async () => {
    const { id, got } = await run(await start(), 'x', EACH_QUARTER);
    expect(statuses(got)).toEqual(['running', 'running', 'running', 'succeeded']);
    expect(got.every(({ body }) => body.id === id)).toBe(true);
    expect(got[3]?.body).toMatchObject({
      progress: 100,
      failure_reason: '',
      results: [{ url: expect.stringContaining('/file/') }],
    });
    expect(got[0]?.headers['content-type']).toBe('application/json');
    expect(Object.keys(got[0]?.headers ?? {}).filter((name) => /signature|secret/.test(name))).toEqual([]);
  });

  test('with shutProgress gets the end only', async () => {
    const { got } = await run(await start(), 'x [[outcome=failed]]', AT_THE_END, { shutProgress: true });
    expect(statuses(got)).toEqual(['failed']);
  });

  test('that cannot be reached is tried once and noted', async () => {
    const { emulator, post } = await start();
    await post('/v1/draw/nano-banana', {
      model: 'nano-banana-2',
      prompt: 'x',
      webHook: 'http://127.0.0.1:9/',
      shutProgress: true,
    });
    await emulator.advance(TASK_MS);
    await emulator.waitFor(() => emulator.ledger.webhooks.length === 1);
    expect(emulator.ledger.webhooks).toMatchObject([{ status: 0 }]);
  });

  test('that is no address is refused', async () => {
    const { post } = await start();
    expect(json(await post('/v1/draw/nano-banana', { model: 'nano-banana-2', prompt: 'x', webHook: 'somewhere' }))).toMatchObject(
      { code: -1 },
    );
  });
});

describe('F19 a webhook', () => {
  test.each<[string, string, number[], string[]]>([
    ['twice', '[[fault=F19:as=twice]]', [1, 2, 3, 5], ['running', 'running', 'running', 'succeeded', 'succeeded']],
    ['out of order', '[[fault=F19:as=disorder]]', [0, 0, 0, 2], ['succeeded', 'running']],
    ['never', '[[fault=F19:as=never]]', [0, 0, 0, 0], []],
    ['early', '[[fault=F19:as=early]]', [1, 1, 1, 1], ['succeeded']],
  ])('%s', async (_name, directive, after, expected) => {
    const { got } = await run(await start(), `x ${directive}`, after);
    expect(statuses(got)).toEqual(expected);
  });

  test('early comes before the submit is answered', async () => {
    const { emulator, post } = await start();
    const receiver = await startReceiver();
    const call = post('/v1/draw/nano-banana', {
      model: 'nano-banana-2',
      prompt: 'x [[fault=F19:as=early]] [[hold-ack=gate]]',
      webHook: receiver.url,
    });
    await emulator.waitFor(() => emulator.held('gate') === 1);
    expect(statuses(receiver.posts)).toEqual(['succeeded']);
    emulator.release('gate');
    expect(json<{ data: Task }>(await call).data.id).toBe(receiver.posts[0]?.body.id);
  });

  test("with a stranger's id", async () => {
    const { id, got } = await run(await start(), 'x [[fault=F19:as=stranger]]', AT_THE_END, { shutProgress: true });
    expect(got).toHaveLength(1);
    expect(got[0]?.body.id).not.toBe(id);
  });
});
