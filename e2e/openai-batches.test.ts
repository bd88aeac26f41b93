import { waitFor } from '@grsai-jobs/testkit';
import OpenAI, { toFile } from 'openai';
import OpenAI6 from 'openai-6';
import { expect, test } from 'vitest';
import { type Stack, shareStack } from './stack.ts';

/** Files and batches by the clients of OpenAI, unchanged, against the whole service. */

const stackOf = shareStack({ emulator: { chatMs: 5, taskMs: 50, imageEdge: 16 }, quickTasks: true });

const clientOf = (stack: Stack, Client: typeof OpenAI | typeof OpenAI6 = OpenAI) =>
  new Client({ baseURL: `${stack.url}/openai/v1`, apiKey: stack.tenant.key }) as OpenAI;

const CHAT = '/v1/chat/completions';
const IMAGE = '/v1/images/generations';
const lineOf = (custom_id: string, url: string, body: object) => `${JSON.stringify({ custom_id, method: 'POST', url, body })}\n`;
const chatLine = (custom_id: string, content: string, model = 'gemini-3.1-pro') =>
  lineOf(custom_id, CHAT, { model, messages: [{ role: 'user', content }] });

async function batchOf(client: OpenAI, endpoint: typeof CHAT | typeof IMAGE, text: string): Promise<OpenAI.Batch> {
  const file = await client.files.create({ file: await toFile(Buffer.from(text), 'lines.jsonl'), purpose: 'batch' });
  return await client.batches.create({ input_file_id: file.id, endpoint, completion_window: '24h' });
}

const ended = async (client: OpenAI, id: string): Promise<OpenAI.Batch> =>
  await waitFor(
    async () => {
      const batch = await client.batches.retrieve(id);
      return ['completed', 'cancelled', 'expired', 'failed'].includes(batch.status) ? batch : undefined;
    },
    { timeoutMs: 20_000, what: 'the batch to end' },
  );

interface Row {
  id: string;
  custom_id: string;
  response: { status_code: number; request_id: string; body: Record<string, never> } | null;
  error: { code: string } | null;
}
const rowsOf = async (client: OpenAI, id: string | null | undefined): Promise<Row[]> =>
  (await (await client.files.content(id ?? '')).text())
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);

test.each([
  ['openai', OpenAI],
  ['openai, the major version before', OpenAI6],
] as const)(
  'when %s makes a batch of a file then what succeeded is in its output, the rest in its errors, and each was paid for once',
  async (name, Client) => {
    const stack = await stackOf();
    const client = clientOf(stack, Client);
    const text = [
      chatLine('a / 1', `one by ${name}`),
      chatLine('b', 'bad', 'no-such-model'),
      chatLine('c', `two by ${name}`),
    ].join('');
    const batch = await batchOf(client, CHAT, text);
    expect(batch).toMatchObject({ object: 'batch', status: 'in_progress', request_counts: { total: 3 }, errors: null });
    const done = await ended(client, batch.id);
    expect(done).toMatchObject({ status: 'completed', request_counts: { total: 3, completed: 2, failed: 1 } });
    const rows = await rowsOf(client, done.output_file_id);
    expect(rows).toMatchObject(
      ['a / 1', 'c'].map((custom_id, n) => ({
        id: expect.stringMatching(/^batch_req_/),
        custom_id,
        error: null,
        response: {
          status_code: 200,
          body: {
            object: 'chat.completion',
            choices: [{ index: 0, message: { role: 'assistant', content: `You said: ${n === 0 ? 'one' : 'two'} by ${name}` } }],
          },
        },
      })),
    );
    expect(await rowsOf(client, done.error_file_id)).toMatchObject([
      { custom_id: 'b', error: null, response: { status_code: 404, body: { error: { code: 'model_not_found', param: null } } } },
    ]);
    expect(await stack.tenant.job(rows[0]?.response?.request_id ?? '')).toMatchObject({ origin: 'openai', batch_id: batch.id });
    for (const prompt of [`one by ${name}`, `two by ${name}`])
      expect(stack.emulator.ledger.submitsOf({ prompt })).toHaveLength(1);

    // Every route of files.
    const input = await client.files.retrieve(batch.input_file_id);
    expect(input).toMatchObject({ filename: 'lines.jsonl', purpose: 'batch', bytes: Buffer.byteLength(text) });
    expect(await (await client.files.content(input.id)).text()).toBe(text);
    const output = await client.files.retrieve(done.output_file_id ?? '');
    expect(output).toMatchObject({ object: 'file', purpose: 'batch_output', filename: `${batch.id}_output.jsonl` });
    const listed: string[] = [];
    for await (const { id } of client.files.list({ limit: 1 })) listed.push(id);
    expect(listed.slice(0, 3).sort()).toEqual([input.id, done.error_file_id, done.output_file_id].sort());
    expect(new Set(listed).size).toBe(listed.length);
    const batches: string[] = [];
    for await (const { id } of client.batches.list({ limit: 1 })) batches.push(id);
    expect(batches[0]).toBe(batch.id);
    for (const id of [input.id, output.id]) expect(await client.files.delete(id)).toEqual({ id, object: 'file', deleted: true });
    for (const id of [input.id, output.id]) await expect(client.files.retrieve(id)).rejects.toMatchObject({ status: 404 });
    await expect(client.files.content(output.id)).rejects.toMatchObject({ status: 404 });
    expect(await client.batches.retrieve(batch.id)).toMatchObject({ status: 'completed', output_file_id: null });
  },
);

test('when a batch is of images then its output has base64 where the model is known for it, and else links', async () => {
  const stack = await stackOf();
  const client = clientOf(stack);
  const image = (custom_id: string, model: string, more: object = {}) =>
    lineOf(custom_id, IMAGE, { model, prompt: `a boat ${custom_id}`, ...more });
  const text = [
    image('base64', 'gpt-image-2'),
    image('link', 'nano-banana-2'),
    image('asked', 'nano-banana-2', { response_format: 'b64_json' }),
  ].join('');
  const done = await ended(client, (await batchOf(client, IMAGE, text)).id);
  const data = (await rowsOf(client, done.output_file_id)).map(
    ({ response }) => (response?.body as unknown as { data: [{ b64_json?: string; url?: string }] } | undefined)?.data[0],
  );
  const isPicture = (bytes: Buffer) => /^(?:\x89PNG|\xff\xd8\xff)/.test(bytes.subarray(0, 8).toString('latin1'));
  const link = Buffer.from(await (await fetch(data[1]?.url ?? '')).arrayBuffer());
  const base64 = [data[0], data[2]].map((each) => Buffer.from(each?.b64_json ?? '', 'base64'));
  expect([link, ...base64].map(isPicture)).toEqual([true, true, true]);
});

test('when a batch is canceled then what had not ended is in its errors, and a second cancel says the same', async () => {
  const stack = await stackOf();
  const client = clientOf(stack);
  const text = [chatLine('slow', 'slow [[chat-ms=60000]]'), chatLine('quick', 'quick and then a cancel')].join('');
  const { id } = await batchOf(client, CHAT, text);
  await waitFor(async () => (await client.batches.retrieve(id)).request_counts?.completed === 1 || undefined);
  expect(['cancelling', 'cancelled']).toContain((await client.batches.cancel(id)).status);
  const done = await ended(client, id);
  expect(done).toMatchObject({ status: 'cancelled', request_counts: { total: 2, completed: 1, failed: 1 } });
  expect(await rowsOf(client, done.error_file_id)).toMatchObject([
    { custom_id: 'slow', response: null, error: { code: 'batch_cancelled' } },
  ]);
  expect((await client.batches.cancel(id)).status).toBe('cancelled');
});

const wrong = (client: OpenAI, text: string) => batchOf(client, CHAT, text);

test('when a file is wrong then an SDK reads why: of its form as an error, of its lines as a failed batch, and nothing is called', async () => {
  const stack = await stackOf();
  const client = clientOf(stack);
  const calls = () => stack.emulator.requests.filter(({ kind }) => kind === 'chat').length;
  const before = calls();
  const file = await toFile(Buffer.from('x'), 'x');
  await expect(client.files.create({ file, purpose: 'vision' })).rejects.toMatchObject({ status: 400, param: 'purpose' });
  const failed = await wrong(client, `${chatLine('a', 'x')}{"custom_id":"b"}\n`);
  expect(failed).toMatchObject({ status: 'failed', request_counts: { total: 0 } });
  expect(failed.errors?.data?.[0]).toMatchObject({ line: 2, code: 'missing_required_parameter', param: 'method' });
  expect(calls()).toBe(before);
});
