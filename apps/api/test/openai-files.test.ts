import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { startApi, type TestApi, writtenInRedis } from './api.ts';

/** Files and batches of OpenAI's form, against the API alone: nothing runs. */

type Fields = readonly (readonly [string, string])[];

interface FileView {
  id: string;
  bytes: number;
  expires_at: number;
  created_at: number;
}
interface BatchView {
  id: string;
  status: string;
  errors: { data: { code: string; line: number | null; message: string; param: string | null }[] } | null;
  output_file_id: string | null;
}
interface List {
  data: { id: string }[];
  first_id: string | null;
  last_id: string | null;
  has_more: boolean;
}

const formOf = (text: string, fields: Fields = [['purpose', 'batch']]): FormData => {
  const form = new FormData();
  form.append('file', new Blob([text]), 'lines.jsonl');
  for (const [name, value] of fields) form.append(name, value);
  return form;
};

const sendForm = async (api: TestApi, body: FormData | ReadableStream, headers: Record<string, string> = {}) =>
  await fetch(`${api.url}/openai/v1/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${api.tenant.key}`, ...headers },
    body,
    duplex: 'half',
  } as RequestInit);

async function upload(api: TestApi, text: string, fields?: Fields): Promise<FileView> {
  const response = await sendForm(api, formOf(text, fields));
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as FileView;
}

const CHAT = '/v1/chat/completions';
const IMAGE = '/v1/images/generations';
const chatBody = { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hi' }] };
const lineOf = (custom_id: string, more: object = {}) =>
  JSON.stringify({ custom_id, method: 'POST', url: CHAT, body: chatBody, ...more });

const order = (input_file_id: string, more: object = {}) => ({
  input_file_id,
  endpoint: CHAT,
  completion_window: '24h',
  ...more,
});
const make = async (api: TestApi, body: object, headers: Record<string, string> = {}) =>
  await api.tenant.send('POST', '/openai/v1/batches', body, headers);
async function batchOf(api: TestApi, text: string, more: object = {}): Promise<BatchView> {
  const response = await make(api, order((await upload(api, text)).id, more));
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as BatchView;
}

const written = async (api: TestApi) => (await writtenInRedis(api)).map(({ where }) => where);

test('when a file is uploaded then it is described, read, listed and deleted, with its object, and another tenant sees none of it', async () => {
  const api = await startApi();
  const before = await written(api);
  const text = `${lineOf('a')}\n`;
  const file = await upload(api, text, [
    ['purpose', 'batch'],
    ['expires_after[anchor]', 'created_at'],
    ['expires_after[seconds]', '3600'],
  ]);
  expect(file).toMatchObject({
    id: expect.stringMatching(/^file-[0-9A-Z]{26}$/),
    object: 'file',
    bytes: text.length,
    filename: 'lines.jsonl',
    purpose: 'batch',
    status: 'processed',
  });
  expect(file.expires_at - file.created_at).toBeCloseTo(3600, -1);
  expect(await api.tenant.get(`/openai/v1/files/${file.id}`)).toEqual(file);
  const content = await api.tenant.send('GET', `/openai/v1/files/${file.id}/content`);
  expect([content.headers.get('content-length'), await content.text()]).toEqual([String(text.length), text]);
  expect(await api.tenant.get('/openai/v1/files')).toMatchObject({ data: [file], has_more: false, first_id: file.id });

  const rival = await api.clientOf('rival');
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/content'],
    ['DELETE', ''],
  ] as const)
    expect((await rival.send(method, `/openai/v1/files/${file.id}${path}`)).status).toBe(404);
  expect((await rival.send('POST', '/openai/v1/batches', order(file.id))).status).toBe(400);
  expect(await rival.get('/openai/v1/files')).toMatchObject({ data: [], first_id: null, last_id: null });

  const gone = await api.tenant.send('DELETE', `/openai/v1/files/${file.id}`);
  expect(await gone.json()).toEqual({ id: file.id, object: 'file', deleted: true });
  expect((await api.tenant.send('GET', `/openai/v1/files/${file.id}`)).status).toBe(404);
  expect(await api.s3.keys()).toEqual([]);
  expect((await written(api)).filter((key) => !before.includes(key) && !/rival|:key/.test(key))).toEqual([]);
});

test('when files are listed then they come page by page in the order that is asked for, also behind one that is gone', async () => {
  const api = await startApi();
  const ids: string[] = [];
  for (let n = 0; n < 4; n += 1) ids.push((await upload(api, `${n}\n`)).id);
  const list = async (query: string) => await api.tenant.get<List>(`/openai/v1/files${query}`);
  const found = async (query: string) => {
    const { data, has_more } = await list(query);
    return [data.map(({ id }) => ids.indexOf(id)), has_more];
  };
  expect(await found('?limit=3')).toEqual([[3, 2, 1], true]);
  await api.tenant.send('DELETE', `/openai/v1/files/${ids[1]}`);
  expect(await found(`?limit=3&after=${ids[1]}`)).toEqual([[0], false]);
  expect(await found(`?order=asc&limit=2&after=${ids[0]}`)).toEqual([[2, 3], false]);
  expect(await found('?purpose=batch_output')).toEqual([[], false]);
  expect(await list('?limit=1')).toMatchObject({ first_id: ids[3], last_id: ids[3] });
});

test('when a tenant has all the bytes that it may have then a file is refused, and nothing of it stays', async () => {
  const api = await startApi({ env: { TENANT_MAX_STORED_BYTES: '1000' } });
  await upload(api, 'x'.repeat(900));
  const refused = await sendForm(api, formOf('x'.repeat(200)));
  expect([refused.status, await refused.json()]).toMatchObject([429, { error: { code: 'tenant_quota_exceeded' } }]);
  expect(await api.s3.keys()).toHaveLength(1);
  const { data } = await api.tenant.get<List>('/openai/v1/files');
  await api.tenant.send('DELETE', `/openai/v1/files/${data[0]?.id}`);
  expect((await upload(api, 'x'.repeat(900))).bytes).toBe(900);
});

const MIB = 1024 * 1024;
const HEAD =
  '--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n';

/** A form with a file of so many bytes, made as it is sent. */
function largeForm(bytes: number, { ends = true } = {}): ReadableStream {
  const piece = new Uint8Array(MIB).fill(10);
  let left = bytes;
  return new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(HEAD)),
    pull(controller) {
      const next = Math.min(left, MIB);
      left -= next;
      if (next > 0) return controller.enqueue(piece.subarray(0, next));
      if (ends) controller.enqueue(new TextEncoder().encode('\r\n--b--\r\n'));
      controller.close();
    },
  });
}

/** The head of a request that says how long its body is, and what is answered to that. */
async function openRequest(api: TestApi, bytes: number): Promise<{ socket: Socket; answer: Promise<string> }> {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  const answer = once(socket, 'data').then(([chunk]) => String(chunk));
  answer.catch(() => undefined);
  socket.write(
    `POST /openai/v1/files HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${api.tenant.key}\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: ${bytes}\r\n\r\n`,
  );
  return { socket, answer };
}

const AS_FORM = { 'content-type': 'multipart/form-data; boundary=b' };

test('when a file has a byte more than 200 MB then it is refused as it comes, or at once where its head says so', async () => {
  const api = await startApi();
  const refused = await sendForm(api, largeForm(200_000_001), AS_FORM);
  expect([refused.status, await refused.json()]).toMatchObject([413, { error: { code: 'body_too_large' } }]);
  const { socket, answer } = await openRequest(api, 201_000_000);
  expect(await answer).toMatch(/^HTTP\/1\.1 413 /);
  socket.destroy();
  expect(await api.s3.keys()).toEqual([]);
});

test('when the sender of a file leaves in the midst of it then nothing of it stays', async () => {
  const api = await startApi();
  const before = await written(api);
  const { socket } = await openRequest(api, 100 * MIB);
  socket.write(HEAD);
  socket.write(Buffer.alloc(MIB));
  await expect.poll(() => written(api)).toContain('{gj}:input-notes');
  socket.destroy();
  await expect.poll(() => written(api)).toEqual(before);
  expect(await api.s3.keys()).toEqual([]);
});

test('when a form ends in the midst of its file then it is refused, and nothing of it stays', async () => {
  const api = await startApi();
  const response = await sendForm(api, largeForm(3 * MIB, { ends: false }), AS_FORM);
  expect(response.status).toBe(400);
  expect(await api.s3.keys()).toEqual([]);
});

const BAD: readonly (readonly [what: string, line: string, code: string, param: string | null])[] = [
  ['no JSON', '{"custom_id": ', 'invalid_json_line', null],
  ['a list', '[]', 'invalid_json_line', null],
  ['no custom_id', lineOf('x1', { custom_id: undefined }), 'missing_required_parameter', 'custom_id'],
  ['a custom_id that is a number', lineOf('x2', { custom_id: 1 }), 'invalid_custom_id', 'custom_id'],
  ['a custom_id of before', lineOf('a'), 'duplicate_custom_id', 'custom_id'],
  ['no method', lineOf('x3', { method: null }), 'missing_required_parameter', 'method'],
  ['another method', lineOf('x4', { method: 'GET' }), 'invalid_method', 'method'],
  ['another endpoint', lineOf('x5', { url: IMAGE }), 'invalid_url', 'url'],
  ['no body', lineOf('x6', { body: undefined }), 'missing_required_parameter', 'body'],
  ['a body that is a text', lineOf('x7', { body: 'hi' }), 'invalid_request', 'body'],
  ['tools', lineOf('x8', { body: { ...chatBody, tools: [{ type: 'function' }] } }), 'invalid_request', 'body.tools'],
  ['a stream', lineOf('s', { body: { ...chatBody, stream: true } }), 'invalid_request', 'body.stream'],
  ['a wrong message', lineOf('x9', { body: { ...chatBody, messages: [] } }), 'invalid_request', 'body.messages'],
  ['an unknown field', lineOf('x10', { colour: 'red' }), 'invalid_request', 'colour'],
];

test('when lines of a file are wrong then the batch fails with each of them, its line and code, and nothing runs', async () => {
  const api = await startApi();
  const text = [lineOf('a'), ...BAD.map(([, line]) => line), lineOf('b')].join('\n');
  const batch = await batchOf(api, text);
  expect(batch).toMatchObject({ status: 'failed', request_counts: { total: 0, completed: 0, failed: 0 }, output_file_id: null });
  expect(batch.errors?.data.map(({ line, code, param }) => [line, code, param])).toEqual(
    BAD.map(([, , code, param], n) => [n + 2, code, param]),
  );
  expect(await api.tenant.get(`/openai/v1/batches/${batch.id}`)).toEqual(batch);
  expect(await api.tenant.get('/v1/jobs')).toMatchObject({ data: [] });
  expect(await api.tenant.get('/v1/batches')).toMatchObject({ data: [] });
  const empty = await batchOf(api, '\n\n');
  expect(empty.errors?.data).toMatchObject([{ code: 'empty_file', line: null }]);
  const many = await batchOf(api, Array.from({ length: 50_001 }, () => '{').join('\n'));
  expect(many.errors?.data.at(0)).toMatchObject({ code: 'file_too_large', line: null });
  const latin = await make(api, order((await upload(api, '\u00e9\n')).id));
  expect(((await latin.json()) as BatchView).errors?.data).toMatchObject([{ code: 'invalid_json_line', line: 1 }]);
});

test('when a batch is made of a file then its lines are jobs with what they leave out from the batch, and it is canceled and listed', async () => {
  const api = await startApi();
  const text = [
    lineOf('one thing / 1'),
    lineOf('b', { body: { ...chatBody, metadata: { of: 'line' }, grsai: { priority: 'high' } } }),
  ].join('\r\n');
  const metadata = { sheet: '2' };
  const batch = await batchOf(api, text, { metadata, grsai: { priority: 'low', expires_in_s: 7200 } });
  expect(batch).toMatchObject({
    status: 'in_progress',
    endpoint: CHAT,
    metadata,
    request_counts: { total: 2, completed: 0, failed: 0 },
  });
  expect(await api.tenant.get(`/v1/batches/${batch.id}`)).toMatchObject({ counts: { total: 2 }, metadata });
  expect(await api.tenant.get('/openai/v1/batches')).toMatchObject({ data: [{ id: batch.id }], has_more: false });
  const others = [await batchOf(api, '{'), await batchOf(api, lineOf('a'))].map(({ id }) => id);
  const page = await api.tenant.get<List>('/openai/v1/batches?limit=2');
  expect([page.data.map(({ id }) => id), page.has_more, page.last_id]).toEqual([others.toReversed(), true, others[0]]);
  const rest = await api.tenant.get<List>(`/openai/v1/batches?after=${page.last_id}`);
  expect([rest.data.map(({ id }) => id), rest.has_more]).toEqual([[batch.id], false]);

  const canceled = await api.tenant.send('POST', `/openai/v1/batches/${batch.id}/cancel`);
  expect([canceled.status, await canceled.json()]).toMatchObject([200, { status: 'cancelling' }]);
  const failed = await api.tenant.send('POST', `/openai/v1/batches/${others[0]}/cancel`);
  expect([failed.status, await failed.json()]).toMatchObject([400, { error: { code: 'conflict' } }]);
  const rival = await api.clientOf('rival');
  expect((await rival.send('GET', `/openai/v1/batches/${batch.id}`)).status).toBe(404);
  expect(await rival.get('/openai/v1/batches')).toMatchObject({ data: [] });
});

test('when a request for a batch is sent again then it finds the batch of the first, by its key or by what its sender says', async () => {
  const api = await startApi();
  const { id } = await upload(api, `${lineOf('a')}\n`);
  const ids = async (...answers: Response[]) =>
    new Set(await Promise.all(answers.map(async (answer) => ((await answer.json()) as BatchView).id)));
  const keyed = () => make(api, order(id), { 'idempotency-key': 'order-1' });
  expect((await ids(await keyed(), await keyed())).size).toBe(1);
  const other = await make(api, order(id, { metadata: { a: 'b' } }), { 'idempotency-key': 'order-1' });
  expect([other.status, await other.json()]).toMatchObject([400, { error: { code: 'idempotency_key_reused' } }]);

  const again = { 'x-stainless-retry-count': '1' };
  const first = await make(api, order(id));
  const [found] = await ids(await make(api, order(id), again));
  expect([found]).toEqual([...(await ids(first))]);
  // Whoever does not say so, or has it already, gets one of its own.
  expect((await ids(await make(api, order(id)), await make(api, order(id)))).size).toBe(2);
  expect((await api.tenant.get<List>('/openai/v1/batches')).data).toHaveLength(4);
});
