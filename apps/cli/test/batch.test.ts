import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { listen } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { run } from '../src/program.ts';
import { commandLine, entry, folder } from './command-line.ts';
import { fakeHost } from './fake-host.ts';
import { batchOf, type Handler, json, startService } from './fake-service.ts';

const ENDED = batchOf({ status: 'completed', finished_at: '2026-05-01T12:01:00.000Z' }, { succeeded: 2, failed: 1 });
const ID = ENDED.id;

const row = (line: number) =>
  `${JSON.stringify({ line, custom_id: `c${line}`, job_id: `job_${line}`, status: 'succeeded', result: { text: 'ü'.repeat(9) } })}\n`;

/** Answers by method and path; the n-th call gets the n-th answer, later ones the last. */
function script(answers: Record<string, Handler[]>): Handler {
  const seen = new Map<string, number>();
  return async (taken, response) => {
    const name = `${taken.method} ${taken.path}`;
    const list = answers[name] ?? [];
    const at = seen.get(name) ?? 0;
    seen.set(name, at + 1);
    const handler = list[Math.min(at, list.length - 1)];
    if (handler === undefined) json(response, 404, { title: 'not here', detail: name, code: 'not_found' });
    else await handler(taken, response);
  };
}

const LINES = '{"custom_id":"a"}\n{"custom_id":"b"}\n{"custom_id":"c"}\n';

test('when a file is sent and followed then its lines and fields arrive, and the results are saved whole', async () => {
  const dir = await folder();
  await writeFile(join(dir, 'in.ndjson'), LINES);
  const service = await startService(
    script({
      'POST /v1/batches': [(_taken, response) => json(response, 202, batchOf({}, { queued: 3 }), { 'retry-after': '0' })],
      [`GET /v1/batches/${ID}`]: [
        (_taken, response) => json(response, 200, batchOf({}, { running: 2, succeeded: 1 }), { 'retry-after': '0' }),
        (_taken, response) => json(response, 200, ENDED),
      ],
      [`GET /v1/batches/${ID}/results`]: [(_taken, response) => void response.end(row(1) + row(2) + row(3))],
    }),
  );
  const out = join(dir, 'out.ndjson');
  const args = ['batch', 'submit', join(dir, 'in.ndjson'), '--results', out, '--metadata', 'a=b', '--expires-in', '2h'];
  const done = await commandLine(service.url)([...args, '--on-invalid', 'skip', '--gzip']);
  expect(done).toMatchObject({ code: 1, stdout: expect.stringContaining('3 of 3: 2 succeeded, 1 failed') });
  expect(done.stderr).toMatch(/1 of 3: 1 succeeded, 2 running/);
  expect(service.requests[0]).toMatchObject({
    body: LINES,
    query: { 'metadata.a': 'b', expires_in_s: '7200', on_invalid: 'skip' },
    headers: {
      authorization: 'Bearer gj_key',
      'content-type': 'application/x-ndjson',
      'content-encoding': 'gzip',
      'idempotency-key': expect.stringMatching(/^[\w-]{36}$/),
    },
  });
  expect(await readFile(out, 'utf8')).toBe(row(1) + row(2) + row(3));
  expect((await readdir(dir)).sort()).toEqual(['in.ndjson', 'out.ndjson']);
});

test('when the service is away for a moment then an upload from a file is sent again under the same key', async () => {
  const dir = await folder();
  await writeFile(join(dir, 'in.ndjson'), LINES);
  const service = await startService(
    script({
      'POST /v1/batches': [
        (_taken, response) => json(response, 503, { title: 'away' }, { 'retry-after': '0' }),
        (_taken, response) => void response.socket?.destroy(),
        (_taken, response) => json(response, 409, { code: 'idempotency_key_in_use' }, { 'retry-after': '0' }),
        (_taken, response) => json(response, 202, batchOf()),
      ],
    }),
  );
  const sent = await commandLine(service.url)(['batch', 'submit', join(dir, 'in.ndjson'), '--no-wait']);
  expect(sent).toMatchObject({ code: 0, stdout: `${ID}\n` });
  expect(new Set(service.requests.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  expect(service.requests.map(({ body }) => body)).toEqual([LINES, LINES, LINES, LINES]);
});

test('when lines come from stdin and the service is away for a moment then all of them are sent again', async () => {
  const service = await startService(
    script({
      'POST /v1/batches': [
        (_taken, response) => void response.socket?.destroy(),
        (_taken, response) => json(response, 202, batchOf()),
      ],
    }),
  );
  const sent = await commandLine(service.url)(['batch', 'submit', '-', '--no-wait'], { input: LINES });
  expect(sent).toMatchObject({ code: 0, stdout: `${ID}\n` });
  expect(service.requests.map(({ body }) => body)).toEqual([LINES, LINES]);
});

test.each([
  ['the service stays away', 503, 'away'],
  ['the upload of a lost answer is still open', 409, 'idempotency_key_in_use'],
])('when %s then the key for another call is reported', async (_what, status, code) => {
  const service = await startService((_taken, response) => json(response, status, { code }, { 'retry-after': '61' }));
  const sent = await commandLine(service.url)(['batch', 'submit', '-', '--idempotency-key', 'k-1'], { input: LINES });
  expect(sent).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('--idempotency-key k-1') });
});

test('when a file is packed by gzip already then it is sent as it is, and named so', async () => {
  const dir = await folder();
  await writeFile(join(dir, 'in.ndjson.gz'), gzipSync(LINES));
  const service = await startService((_taken, response) => json(response, 202, batchOf()));
  for (const flag of ['--gzip', '--no-gzip'])
    await commandLine(service.url)(['batch', 'submit', join(dir, 'in.ndjson.gz'), '--no-wait', flag]);
  expect(service.requests.map(({ body, headers }) => [body, headers['content-encoding']])).toEqual([
    [LINES, 'gzip'],
    [LINES, 'gzip'],
  ]);
});

test.each(['plain', 'gzip'])(
  'when stdin (%s) goes on after a refusal, or after Ctrl-C, then the command ends all the same',
  async (packed) => {
    const refused = createServer((request, response) => {
      json(response, 401, { title: 'no key', code: 'unauthenticated' });
      request.resume();
    });
    const silent = createServer((request) => void request.resume());
    const urls = await Promise.all([refused, silent].map((server) => listen(server, onTestFinished)));
    const args = ['batch', 'submit', '-', packed === 'gzip' ? '--gzip' : '--no-gzip'];
    const going = { input: LINES, inputGoesOn: true };
    expect(await commandLine(urls[0] ?? '')(args, going)).toMatchObject({ code: 4, stderr: expect.stringContaining('no key') });
    let pressed = false;
    const interrupt = (_soFar: string, kill: (signal: NodeJS.Signals) => void) => {
      // A second time it would end at once.
      if (!pressed) kill('SIGINT');
      pressed = true;
    };
    expect((await commandLine(urls[1] ?? '')(args, { ...going, onStderr: interrupt })).code).toBe(130);
  },
);

test('when lines come from a pipe and the upload breaks off then all of them are sent again, and not their rest as if it were all', async () => {
  const dir = await folder();
  const pipe = join(dir, 'pipe');
  execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', pipe]);
  const service = await startService(
    script({
      'POST /v1/batches': [
        (_taken, response) => void response.socket?.destroy(),
        (_taken, response) => json(response, 202, batchOf()),
      ],
    }),
  );
  const sending = commandLine(service.url)(['batch', 'submit', pipe, '--no-wait']);
  const [sent] = await Promise.all([sending, writeFile(pipe, LINES)]);
  expect(sent).toMatchObject({ code: 0, stdout: `${ID}\n` });
  expect(service.requests.map(({ body }) => body)).toEqual([LINES, LINES]);
});

test('when results cannot be saved as they are asked for then that is reported before anything is sent', async () => {
  const dir = await folder();
  await writeFile(join(dir, 'in.ndjson'), LINES);
  const service = await startService(script({ [`GET /v1/batches/${ID}`]: [(_taken, response) => json(response, 200, ENDED)] }));
  const jobs = commandLine(service.url);
  const input = join(dir, 'in.ndjson');
  for (const args of [
    ['submit', input, '--results', dir],
    ['submit', input, '--results', join(dir, 'none', 'out')],
    ['submit', input, '--no-wait', '--results', join(dir, 'out')],
    ['retry-failed', ID, '--results', join(dir, 'none', 'out')],
    ['retry-failed', ID, '--no-wait', '--results', join(dir, 'out')],
    ['get', ID, '--wait', '--results', dir],
    ['get', ID, '--results', join(dir, 'out')],
    ['results', ID, '--out', dir],
  ])
    expect([args, (await jobs(['batch', ...args])).code]).toEqual([args, 2]);
  expect(service.requests).toEqual([]);
});

test('when nobody reads stderr any more then the batch is followed and its results are saved all the same', async () => {
  const dir = await folder();
  const running: Handler = (_taken, response) => json(response, 200, batchOf({}, { running: 3 }), { 'retry-after': '0' });
  const asked = Promise.withResolvers<void>();
  const service = await startService(
    script({
      [`GET /v1/batches/${ID}`]: [
        running,
        async (taken, response) => {
          await asked.promise;
          await running(taken, response);
        },
        (_taken, response) => json(response, 200, batchOf({ status: 'completed' }, { succeeded: 3 })),
      ],
      [`GET /v1/batches/${ID}/results`]: [(_taken, response) => void response.end(row(1))],
    }),
  );
  const out = join(dir, 'out.ndjson');
  const env = { ...process.env, GRSAI_JOBS_API: service.url, GRSAI_JOBS_KEY: 'gj_key' };
  const child = spawn(process.execPath, [entry, 'batch', 'get', ID, '--wait', '--results', out], { env });
  onTestFinished(() => void child.kill());
  child.stdout.resume();
  await once(child.stderr, 'data');
  child.stderr.destroy();
  asked.resolve();
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(await readFile(out, 'utf8')).toBe(row(1));
});

test('when results after a line are saved then lines before it are not asked for', async () => {
  const dir = await folder();
  const service = await startService(
    script({
      [`GET /v1/batches/${ID}`]: [(_taken, response) => json(response, 200, ENDED)],
      [`GET /v1/batches/${ID}/results`]: [(_taken, response) => void response.end(row(3))],
    }),
  );
  const out = join(dir, 'out.ndjson');
  expect((await commandLine(service.url)(['batch', 'results', ID, '--after-line', '2', '--out', out])).code).toBe(0);
  expect(service.requests.at(-1)?.query).toEqual({ after_line: '2' });
  expect(await readFile(out, 'utf8')).toBe(row(3));
});

test('when lines are bad then each is reported with line and pointer', async () => {
  const errors = [{ line: 2, custom_id: 'b', pointer: '/input/model', message: 'is missing' }];
  const service = await startService((_taken, response) =>
    json(response, 422, {
      title: 'bad lines',
      detail: 'One item is not valid',
      code: 'invalid_request',
      request_id: 'r1',
      errors,
    }),
  );
  const sent = await commandLine(service.url)(['batch', 'submit', '-'], { input: LINES });
  expect(sent).toMatchObject({ code: 1, stdout: '' });
  expect(sent.stderr).toContain('  line 2 /input/model: is missing\n  request id: r1\n');
});

test('when a save of results breaks off within a line then it goes on after the last whole line', async () => {
  const dir = await folder();
  const out = join(dir, 'out.ndjson');
  const service = await startService(
    script({
      [`GET /v1/batches/${ID}`]: [(_taken, response) => json(response, 200, ENDED)],
      [`GET /v1/batches/${ID}/results`]: [
        (_taken, response) => {
          response.write(row(1) + row(2).slice(0, 60));
          setImmediate(() => response.socket?.destroy());
        },
        (_taken, response) => void response.end(row(2) + row(3)),
      ],
    }),
  );
  // What an earlier call left: a line and a half.
  await writeFile(`${out}.${ID}-1.part`, row(1) + row(2).slice(0, 20));
  expect(await commandLine(service.url)(['batch', 'results', ID, '--out', out])).toMatchObject({ code: 0 });
  expect(await readFile(out, 'utf8')).toBe(row(1) + row(2) + row(3));
  expect(service.requests.filter(({ path }) => path.endsWith('/results')).map(({ query }) => query['after_line'])).toEqual([
    '1',
    '1',
  ]);
});

/** The same in this process, where pauses take no time. */
async function quickly(url: string, args: readonly string[]) {
  const { host, stderr } = fakeHost({ fetch, env: { GRSAI_JOBS_API: url } });
  return { code: await run(args, host), stderr: stderr() };
}

const away: Handler = (_taken, response) => json(response, 503, { title: 'away' }, { 'retry-after': '0' });

test('when the service goes away for longer while results are saved then the command outlasts it', async () => {
  const dir = await folder();
  const service = await startService(
    script({
      [`GET /v1/batches/${ID}`]: [(_taken, response) => json(response, 200, ENDED)],
      [`GET /v1/batches/${ID}/results`]: [
        ...Array.from({ length: 12 }, () => away),
        (_taken, response) => void response.end(row(1)),
      ],
    }),
  );
  const out = join(dir, 'out.ndjson');
  await quickly(service.url, ['batch', 'get', ID, '--wait', '--results', out]);
  expect(await readFile(out, 'utf8')).toBe(row(1));
});

test('when the service stays away while a batch is followed or its results are saved then the error says how to go on', async () => {
  const dir = await folder();
  const ended: Handler = (_taken, response) => json(response, 200, ENDED);
  const results = { [`GET /v1/batches/${ID}/results`]: [away] };
  const [follow, save] = await Promise.all(
    [[away], [ended]].map((batch) => startService(script({ [`GET /v1/batches/${ID}`]: batch, ...results }))),
  );
  const out = join(dir, 'out.ndjson');
  const args = ['batch', 'get', ID, '--wait', '--results', out];
  expect(await quickly(follow?.url ?? '', args)).toMatchObject({
    code: 3,
    stderr: expect.stringContaining(`pnpm jobs batch get ${ID} --wait`),
  });
  expect(await quickly(save?.url ?? '', args)).toMatchObject({
    code: 3,
    stderr: expect.stringContaining(`pnpm jobs batch results ${ID} --out ${out}`),
  });
});

test('when results go to stdout and the connection breaks then no line is there twice', async () => {
  const service = await startService(
    script({
      [`GET /v1/batches/${ID}/results`]: [
        (_taken, response) => {
          response.write(row(1) + row(2) + row(3).slice(0, 9));
          setImmediate(() => response.socket?.destroy());
        },
        (_taken, response) => void response.end(row(3)),
      ],
    }),
  );
  expect(await commandLine(service.url)(['batch', 'results', ID])).toMatchObject({ code: 0, stdout: row(1) + row(2) + row(3) });
});

test('when failed jobs are run again then the next round is awaited, not the end of the last', async () => {
  const again = batchOf({ status: 'completed', round: 2, finished_at: '2026-05-01T12:02:00.000Z' }, { succeeded: 3 });
  const service = await startService(
    script({
      [`POST /v1/batches/${ID}/retry-failed`]: [
        (_taken, response) => json(response, 202, { ...ENDED, retrying: 1, left_out: 0, in_round: 2 }),
      ],
      [`GET /v1/batches/${ID}`]: [
        (_taken, response) => json(response, 200, ENDED, { 'retry-after': '0' }),
        (_taken, response) => json(response, 200, again),
      ],
    }),
  );
  const retried = await commandLine(service.url)(['batch', 'retry-failed', ID, '--json']);
  expect(retried.code).toBe(0);
  expect(JSON.parse(retried.stdout)).toMatchObject({ round: 2 });
});

test('when batches and bad lines are listed then people get tables and programs a line for each', async () => {
  const bad = { line: 7, custom_id: null, errors: [{ pointer: '/input/prompt', message: 'is missing' }] };
  const service = await startService(
    script({
      'GET /v1/batches': [
        (_taken, response) => json(response, 200, { object: 'list', data: [ENDED], next_cursor: 'more' }),
        (_taken, response) => json(response, 200, { object: 'list', data: [ENDED], next_cursor: null }),
      ],
      [`GET /v1/batches/${ID}/errors`]: [(_taken, response) => void response.end(`${JSON.stringify(bad)}\n`)],
    }),
  );
  const jobs = commandLine(service.url);
  expect((await jobs(['batch', 'list', '--all', '--json'])).stdout.trim().split('\n')).toHaveLength(2);
  // The list of all tenants is asked for first, which this service does not know.
  const own = service.requests.filter(({ path }) => path === '/v1/batches');
  expect(own.map(({ query }) => query['cursor'])).toEqual([undefined, 'more']);
  expect((await jobs(['batch', 'list'])).stdout).toMatch(/BATCH +STATUS +TOTAL[^\n]*\nbatch_\w+ +completed +3 +2 +1/);
  expect((await jobs(['batch', 'errors', ID])).stdout).toMatch(
    /LINE +CUSTOM ID +WHERE +WHY\n +7 +– +\/input\/prompt +is missing\n/,
  );
});

test('when results have numbers that JavaScript cannot keep then they are saved and shown byte for byte', async () => {
  const line = `{"line":1,"result":{"temperature":1.0,"seed":12345678901234567890,"tiny":1E-9,"text":"\\u00e9 é"}}\n`;
  const service = await startService(
    script({
      [`GET /v1/batches/${ID}`]: [(_taken, response) => json(response, 200, ENDED)],
      [`GET /v1/batches/${ID}/results`]: [(_taken, response) => void response.end(line)],
    }),
  );
  const out = join(await folder(), 'out.ndjson');
  expect(await commandLine(service.url)(['batch', 'results', ID, '--out', out])).toMatchObject({ code: 0 });
  expect(await readFile(out, 'utf8')).toBe(line);
  expect(await commandLine(service.url)(['batch', 'results', ID])).toMatchObject({ code: 0, stdout: line });
});
