import {
  brotliDecompressSync,
  constants,
  createGunzip,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { CHAT_MS, events, json, KEY, nameOf, type Reply, start, TASK_MS, type Task } from './client.ts';

/** Each coding: the header, and how a client would read it. */
const CODINGS: readonly [string, string, (bytes: Buffer) => Buffer][] = [
  ['gzip', 'gzip', (bytes) => gunzipSync(bytes)],
  ['x-gzip', 'x-gzip', (bytes) => gunzipSync(bytes)],
  ['deflate', 'deflate', (bytes) => inflateSync(bytes)],
  ['deflate-raw', 'deflate', (bytes) => inflateRawSync(bytes)],
  ['br', 'br', (bytes) => brotliDecompressSync(bytes)],
  ['zstd', 'zstd', (bytes) => zstdDecompressSync(bytes)],
  ['twice', 'gzip, br', (bytes) => gunzipSync(brotliDecompressSync(bytes))],
  ['liar', 'gzip', (bytes) => bytes],
  ['cut', 'gzip', (bytes) => gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH })],
];

const header = (reply: Reply): unknown => reply.headers['content-encoding'];

describe.each(CODINGS)('with the coding %s', (coding, name, read) => {
  test('when the settings say so, then every answer has it', async () => {
    const { emulator, post, get } = await start();
    const ack = await post('/v1/api/generate', { model: 'nano-banana-2', prompt: 'x', replyType: 'async' });
    const { id } = json<Task>(ack);
    emulator.configure({ coding: coding as 'gzip' });
    await emulator.advance(TASK_MS);
    const answers = [
      await post('/v1/api/generate', { model: 'nano-banana-2', prompt: 'x', replyType: 'async' }),
      await post('/v1/api/generate', { model: 'nope', prompt: 'x' }),
      await post('/v1/chat/completions', '[]'),
      await get(`/v1/api/result?id=${id}`),
      await post('/client/openapi/getAPIKeyCredits', { apiKey: KEY }),
      await get('/client/common/getModelStatus?model=nano-banana-2'),
      await get('/nowhere'),
    ];
    for (const answer of answers) {
      expect([header(answer), answer.end]).toEqual([name, 'whole']);
      expect(read(answer.bytes).length).toBeGreaterThan(0);
    }
    if (coding === 'cut') return;
    const task = JSON.parse(read(answers[3]?.bytes ?? Buffer.alloc(0)).toString()) as Task;
    const file = await get(`/file/${nameOf(task.results?.[0]?.url ?? '')}`);
    emulator.configure({ coding: 'none' });
    const plain = await get(`/file/${nameOf(task.results?.[0]?.url ?? '')}`);
    expect([header(file), header(plain)]).toEqual([name, undefined]);
    expect(read(file.bytes).equals(plain.bytes)).toBe(true);
  });

  test('when the prompt asks for it, then the answer to the submit, its polls and its file have it, and no other', async () => {
    const { emulator, post, pollTask, get, submit } = await start();
    const ack = await post('/v1/api/generate', {
      model: 'nano-banana-2',
      prompt: `x [[fault=F23:as=${coding}]]`,
      replyType: 'async',
    });
    expect(header(ack)).toBe(name);
    const { tasks } = emulator.ledger;
    await emulator.advance(TASK_MS);
    expect(header(await pollTask(tasks[0]?.id ?? ''))).toBe(name);
    expect(header(await get(`/file/${tasks[0]?.files[0]}`))).toBe(name);
    expect(header(await pollTask(await submit()))).toBe(undefined);
  });

  test('when it is a stream, then each event can be read as soon as it has come', async () => {
    if (coding === 'twice' || coding === 'zstd' || coding === 'liar') return;
    const { emulator, post } = await start();
    const call = post('/v1/chat/completions', {
      model: 'gemini-3.1-pro',
      stream: true,
      messages: [{ role: 'user', content: `one two three four five six [[fault=F23:as=${coding}]]` }],
    });
    await emulator.waitFor(() => emulator.ledger.submits.length === 1);
    let over = false;
    const reply = call.finally(() => {
      over = true;
    });
    for (let i = 0; i < 20 && !over; i++) await emulator.advance(CHAT_MS / 20);
    const { pieces, bytes } = await reply;
    expect(events(read(bytes).toString()).at(-1)).toBe('[DONE]');
    if (name !== 'gzip') return;
    const seen: string[] = [];
    const gunzip = createGunzip({ flush: constants.Z_SYNC_FLUSH });
    gunzip.on('data', (piece: Buffer) => seen.push(piece.toString()));
    await new Promise((resolve) => gunzip.write(pieces[0], resolve));
    expect(events(seen.join('')).length).toBeGreaterThan(0);
    gunzip.destroy();
  });
});

test('when an answer has no body, then it has no coding either', async () => {
  const { post } = await start({ coding: 'gzip' });
  const reply = await post(
    '/v1/api/generate',
    { model: 'x', prompt: 'x', replyType: 'async' },
    { authorization: 'Bearer sk-bad' },
  );
  expect([reply.status, reply.bytes.length, header(reply)]).toEqual([200, 0, undefined]);
});
