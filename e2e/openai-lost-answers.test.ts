import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createOpenAI } from '@ai-sdk/openai';
import { freePort, waitFor } from '@grsai-jobs/testkit';
import { ChatOpenAI } from '@langchain/openai';
import { generateImage, generateText } from 'ai';
import OpenAI from 'openai';
import OpenAI6 from 'openai-6';
import { expect, onTestFinished, test } from 'vitest';
import { type Stack, shareStack, startStack } from './stack.ts';

/** Connections that break at every moment, by the clients that people have: the caller gets its answer, and what it asked for is called once. */

const MODEL = 'gemini-3.1-pro';

/**
 * When a connection breaks: while the job runs, in the middle of an answer that the API has written whole (`during`) or is writing (`midst`), or
 * when the API has written all of it.
 */
type Moment = 'before' | 'during' | 'midst' | 'after';

/** Hands requests on to the API, and cuts the first `times` that come. `running`: when a job runs whose connection breaks before its answer. */
async function startLine(
  api: string,
  moment: Moment,
  { times = 1, running }: { times?: number; running: () => Promise<unknown> },
) {
  let cuts = 0;
  let target = api;
  const forward = (came: IncomingMessage, answer: ServerResponse) => {
    const isCut = came.method === 'POST' && cuts < times;
    if (isCut) cuts += 1;
    const url = new URL(came.url ?? '/', target);
    const onward = httpRequest(url, { method: came.method, headers: { ...came.headers, host: url.host } }, (response) => {
      if (!isCut) {
        answer.writeHead(response.statusCode ?? 500, response.headers);
        response.pipe(answer);
        return;
      }
      if (moment === 'midst') {
        answer.writeHead(response.statusCode ?? 500, response.headers);
        response.once('data', (chunk: Buffer) => {
          response.pause();
          answer.write(chunk, () => {
            onward.destroy();
            came.socket.destroy();
          });
        });
        return;
      }
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        if (moment === 'after') return void came.socket.destroy();
        const whole = Buffer.concat(chunks);
        answer.writeHead(response.statusCode ?? 500, response.headers);
        answer.write(whole.subarray(0, whole.length / 2), () => came.socket.destroy());
      });
    });
    onward.on('error', () => came.socket.destroy());
    came.pipe(onward);
    if (!isCut || moment !== 'before') return;
    void running().then(() => {
      onward.destroy();
      came.socket.destroy();
    });
  };
  const server = createServer(forward);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/openai/v1`,
    cuts: () => cuts,
    to: (another: string) => {
      target = another;
    },
  };
}

type Ask = (baseURL: string, apiKey: string, content: string) => Promise<string>;

const CLIENTS: Readonly<Record<string, Ask>> = {
  openai: async (baseURL, apiKey, content) => {
    const asked = { model: MODEL, messages: [{ role: 'user' as const, content }] };
    return (await new OpenAI({ baseURL, apiKey }).chat.completions.create(asked)).choices[0]?.message.content ?? '';
  },
  'openai, the major version before': async (baseURL, apiKey, content) => {
    const asked = { model: MODEL, messages: [{ role: 'user' as const, content }] };
    return (await new OpenAI6({ baseURL, apiKey }).chat.completions.create(asked)).choices[0]?.message.content ?? '';
  },
  '@ai-sdk/openai': async (baseURL, apiKey, prompt) =>
    (await generateText({ model: createOpenAI({ baseURL, apiKey }).chat(MODEL), prompt })).text,
  '@langchain/openai': async (baseURL, apiKey, prompt) =>
    (await new ChatOpenAI({ model: MODEL, apiKey, configuration: { baseURL } }).invoke(prompt)).text,
};

/** What becomes of a connection that breaks, by client and moment: the calls upstream, and whether the caller learns of it. */
const AGAIN = { calls: 1, answered: true };
/** What the API has written whole is lost on a line of which it learns nothing: to a client that says nothing it is another request. */
const ANEW = { calls: 2, answered: true };
/** The client itself gives up where an answer breaks off. */
const FAILS = { calls: 1, answered: false };
const OUTCOMES: Readonly<Record<string, Readonly<Record<Exclude<Moment, 'midst'>, { calls: number; answered: boolean }>>>> = {
  openai: { before: AGAIN, during: FAILS, after: AGAIN },
  'openai, the major version before': { before: AGAIN, during: FAILS, after: AGAIN },
  '@ai-sdk/openai': { before: AGAIN, during: ANEW, after: ANEW },
  '@langchain/openai': { before: AGAIN, during: ANEW, after: ANEW },
};

/** More than the buffers of a connection hold. */
const PICTURE_BYTES = 7_000_000;

const stackOf = shareStack({ emulator: { chatMs: 400 } });
const calls = (stack: Stack, prompt: string) => stack.emulator.ledger.submitsOf({ prompt }).length;
/** Resolves when upstream has been called so often: the job runs. */
const called = (stack: Stack, prompt: string, times = 1) => stack.emulator.waitFor(() => calls(stack, prompt) >= times, 30_000);

const ROWS = Object.entries(CLIENTS).flatMap(([name, ask]) =>
  (['before', 'during', 'after'] as const).map((moment) => [name, moment, ask] as const),
);

test.each(ROWS)(
  'when the connection of %s breaks %s the answer then no more is called than it takes',
  async (name, moment, ask) => {
    const stack = await stackOf();
    const prompt = `lost ${moment} by ${name}`;
    const line = await startLine(stack.url, moment, { running: () => called(stack, prompt) });
    const said = await ask(line.url, stack.tenant.key, prompt).catch(() => null);
    expect(line.cuts()).toBe(1);
    const outcome = OUTCOMES[name]?.[moment];
    expect({ calls: calls(stack, prompt), answered: said === `You said: ${prompt}` }).toEqual(outcome);
  },
);

const picturesOf = shareStack({ emulator: { taskMs: 50 }, quickTasks: true });

/** `again`: the caller says that it sends its request again. */
type Draw = (baseURL: string, apiKey: string, prompt: string, again?: boolean) => Promise<number>;
const drawBy =
  (Client: typeof OpenAI | typeof OpenAI6): Draw =>
  async (baseURL, apiKey, prompt, again = false) => {
    const defaultHeaders = again ? { 'x-stainless-retry-count': '1' } : {};
    const client = new Client({ baseURL, apiKey, defaultHeaders }) as OpenAI;
    const { data } = await client.images.generate({ model: 'nano-banana-2', prompt, response_format: 'b64_json' });
    return Buffer.from(data?.[0]?.b64_json ?? '', 'base64').length;
  };

/** A client of OpenAI fails where an answer breaks off; what it is asked again then is the answer that it lost. */
test.each([
  ['openai', drawBy(OpenAI), false],
  ['openai, the major version before', drawBy(OpenAI6), false],
  [
    '@ai-sdk/openai',
    async (baseURL, apiKey, prompt) => {
      const model = createOpenAI({ baseURL, apiKey }).image('nano-banana-2');
      return (await generateImage({ model, prompt })).image.uint8Array.length;
    },
    true,
  ],
] as const satisfies readonly (readonly [string, Draw, boolean])[])(
  'when the connection of %s breaks in the midst of an image then it is paid for once, and the same request has it',
  async (name, draw, comesBack) => {
    const stack = await picturesOf();
    const prompt = `a picture lost by ${name}`;
    const asked = `${prompt} [[bytes=${PICTURE_BYTES}]]`;
    const line = await startLine(stack.url, 'midst', { running: async () => undefined });
    const first = await draw(line.url, stack.tenant.key, asked).catch(() => null);
    expect([line.cuts(), first]).toEqual([1, comesBack ? PICTURE_BYTES : null]);
    if (!comesBack) expect(await draw(line.url, stack.tenant.key, asked, true)).toBe(PICTURE_BYTES);
    expect(calls(stack, prompt)).toBe(1);
  },
);

test('when twenty callers of one prompt all lose their connection then each gets an answer, of twenty calls', async () => {
  const stack = await stackOf();
  const line = await startLine(stack.url, 'before', { times: 20, running: () => called(stack, 'all at once', 20) });
  const ask = CLIENTS['openai'] as Ask;
  const prompt = 'all at once [[chat-ms=3000]]';
  const said = await Promise.all(Array.from({ length: 20 }, () => ask(line.url, stack.tenant.key, prompt)));
  expect(new Set(said)).toEqual(new Set(['You said: all at once']));
  expect(calls(stack, 'all at once')).toBe(20);
});

test('when grsai.attach is never then a request that is sent again makes another job', async () => {
  const stack = await stackOf();
  const line = await startLine(stack.url, 'before', { running: () => called(stack, 'never') });
  const client = new OpenAI({ baseURL: line.url, apiKey: stack.tenant.key });
  const asked = { model: MODEL, messages: [{ role: 'user' as const, content: 'never' }] };
  await client.chat.completions.create({ ...asked, ...({ grsai: { attach: 'never' } } as object) });
  expect(calls(stack, 'never')).toBe(2);
});

test('when a caller leaves before its chat has begun then it does not begin, and does at once when the caller comes back', async () => {
  const stack = await stackOf();
  const pause = (paused: boolean) => stack.admin.send('PATCH', '/admin/v1/queues/call', { paused, reason: 'a test' });
  await pause(true);
  onTestFinished(async () => void (await pause(false)));
  const leave = new AbortController();
  const ask = (signal?: AbortSignal) =>
    new OpenAI({ baseURL: `${stack.url}/openai/v1`, apiKey: stack.tenant.key, maxRetries: 0 }).chat.completions.create(
      { model: MODEL, messages: [{ role: 'user', content: 'left early' }] },
      { signal },
    );
  const left = ask(leave.signal).catch(() => null);
  const jobs = async () =>
    (await stack.tenant.get<{ data: { status: string; waiting: { reason: string } | null }[] }>('/v1/jobs')).data;
  await waitFor(async () => (await jobs()).length === 1);
  leave.abort();
  await left;
  await pause(false);
  await waitFor(async () => (await jobs())[0]?.waiting?.reason === 'no_caller', { timeoutMs: 20_000 });
  expect(calls(stack, 'left early')).toBe(0);
  const { choices } = await ask();
  expect(choices[0]?.message.content).toBe('You said: left early');
  expect([calls(stack, 'left early'), (await jobs()).length]).toEqual([1, 1]);
}, 40_000);

test('when the API is killed while callers wait then each of them has its answer from the next one, and pays once', async () => {
  const stack = await startStack({ emulator: { chatMs: 3000 }, kills: true });
  const port = await freePort();
  await stack.startApi({ PORT: String(port) });
  const line = await startLine(stack.url, 'before', { times: 0, running: async () => undefined });
  const asking = Object.entries(CLIENTS).map(([name, ask]) => ask(line.url, stack.tenant.key, `killed: ${name}`));
  const said = Promise.all(asking);
  await stack.emulator.waitFor(() => calls(stack, 'killed') === asking.length, 30_000);
  line.to(`http://127.0.0.1:${port}`);
  await stack.api.stop();
  expect(await said).toEqual(Object.keys(CLIENTS).map((name) => `You said: killed: ${name}`));
  expect(calls(stack, 'killed')).toBe(asking.length);
});
