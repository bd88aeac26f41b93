import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, request as requestOf } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type Batch, listen, rowsOf, startProcess } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { chat, type Job, type Stack, shareStack } from './stack.ts';

/** Programs of callers, those of `examples/` among them, as processes, against the whole service. */

const COUNT = 12;
// The API is killed, and started again.
const stackOf = shareStack({ kills: true, quickTasks: true, emulator: { taskMs: 500, imageEdge: 16 } });

/** In an empty folder. */
async function program(stack: Stack, path: string, { api = stack.url, command = process.execPath } = {}) {
  const cwd = await mkdtemp(join(tmpdir(), 'grsai-jobs-caller-'));
  const entry = fileURLToPath(new URL(`../${path}`, import.meta.url));
  const env = { GRSAI_JOBS_API: api, GRSAI_JOBS_KEY: stack.tenant.key, COUNT: String(COUNT) };
  const running = await startProcess({ entry, env, cwd, command });
  onTestFinished(async () => {
    await running.stop();
    await rm(cwd, { recursive: true });
  });
  const ended = async () => {
    const { code } = await running.exited;
    if (code !== 0) throw new Error(`${path} ended with ${code}:\n${running.lines.map(({ raw }) => raw).join('\n')}`);
    return running.lines.map(({ raw }) => raw);
  };
  return { cwd, ended, waitForLine: running.waitForLine };
}

test('when the API is killed and started again while programs wait for images and read an answer as it comes then each image is whole and paid for once, and each token came once', async () => {
  const stack = await stackOf();
  const images = await program(stack, 'examples/images.ts');
  const one = await program(stack, 'packages/client/test/programs/run-one.ts');
  const tokens = await program(stack, 'packages/client/test/programs/tokens.ts');
  await Promise.all([
    images.waitForLine(new RegExp(`of ${COUNT}$`)),
    one.waitForLine(/queued|running/),
    tokens.waitForLine(/^piece: /),
  ]);
  stack.api.kill('SIGKILL');
  await stack.api.exited;
  await stack.startApi();
  expect((await images.ended()).at(-1)).toBe(`${COUNT} of ${COUNT}`);
  expect((await one.ended()).at(-1)).toBe('succeeded 1');
  const told = await tokens.ended();
  expect(told.slice(-2)).toEqual(['end', 'You said: one two three four five six seven eight nine ten']);
  expect(told).not.toContain('reset');

  const [batch] = (await stack.tenant.get<{ data: Batch[] }>('/v1/batches')).data;
  const rows = await rowsOf<{ custom_id: string; result: { images: { sha256: string; content_type: string }[] } }>(
    await stack.tenant.send('GET', `/v1/batches/${batch?.id}/results`),
  );
  const wanted = rows.map(
    ({
      custom_id,
      result: {
        images: [image],
      },
    }) => [`${custom_id}-0.${image?.content_type.slice(6).replace('jpeg', 'jpg')}`, image?.sha256],
  );
  expect(wanted).toHaveLength(COUNT);
  const names = await readdir(join(images.cwd, 'boats'));
  const got = names.map(async (name) => [
    name,
    createHash('sha256')
      .update(await readFile(join(images.cwd, 'boats', name)))
      .digest('hex'),
  ]);
  expect((await Promise.all(got)).sort()).toEqual(wanted.sort());
  expect(stack.emulator.requests.filter(({ kind }) => kind === 'image')).toHaveLength(COUNT + 1);
});

test('when each POST is cut before it arrives, before its answer and in the midst of its answer then everything is done once', async () => {
  const stack = await stackOf();
  const { secret } = await stack.tenant.get<{ secret: string }>('/v1/webhook-secret');
  const { url, lost } = await losesAnswers(stack.url);
  const told = JSON.parse(
    (await (await program(stack, 'packages/client/test/programs/lost-answers.ts', { api: url })).ended()).at(-1) ?? '',
  );
  const { data: batches } = await stack.tenant.get<{ data: Batch[] }>('/v1/batches');
  const { data: jobs } = await stack.tenant.get<{ data: (Job & { batch_id?: string })[] }>('/v1/jobs');
  const [failed, slow] = [jobs.at(-2)?.id, jobs.at(-3)?.id];
  const paths = [
    ...['/v1/jobs', `/v1/jobs/${failed}/retry`, `/v1/jobs/${slow}/cancel`],
    ...['/v1/batches', `/v1/batches/${batches[1]?.id}/retry-failed`, `/v1/batches/${batches[0]?.id}/cancel`],
    '/v1/webhook-deliveries/recover',
  ];
  // Of a POST that is sent once the first is lost.
  expect(lost).toEqual([...paths.flatMap((path) => CUTS.map((cut) => `${cut} ${path}`)), `${CUTS[0]} /v1/webhook-secret/rotate`]);
  expect(told).toEqual({
    job: [jobs.at(-1)?.id, 'succeeded'],
    runs: [1, 2],
    canceled: ['canceled', 'canceled'],
    batch: [batches[1]?.id, 'completed', 1, 1, 2, 2],
    rows: ['a', 'b', 'c'].map((id) => [id, id === 'c' ? 'failed' : 'succeeded']),
    rotated: 'ConnectionError',
  });
  expect([jobs.length, batches.length]).toEqual([7, 2]);
  expect(jobs.map(({ run }) => run).sort()).toEqual([1, 1, 1, 1, 1, 2, 2]);
  expect(await stack.tenant.get('/v1/webhook-secret')).toMatchObject({ secret, older: [] });
});

const python = spawnSync('python3', ['--version']).status === 0;
test.runIf(!python)('python3 is not at hand, so examples/images.py is not tried', () => expect(python).toBe(false));

test.runIf(python)(
  'when a program in plain Python loses the answer to its batch and is run again then it has each image once, whole, and they are paid for once',
  async () => {
    const stack = await stackOf();
    const { url, lost } = await losesAnswers(stack.url, ['after']);
    const first = await program(stack, 'examples/images.py', { api: url, command: 'python3' });
    expect((await first.ended()).at(-1)).toBe(`${COUNT} of ${COUNT}`);
    expect(lost).toEqual(['after /v1/batches']);
    const again = await program(stack, 'examples/images.py', { command: 'python3' });
    expect(await again.ended()).toEqual([`${COUNT} of ${COUNT}`]);
    const { data } = await stack.tenant.get<{ data: { result: { images: { sha256: string }[] } }[] }>('/v1/jobs');
    const wanted = data.map(({ result }) => result.images[0]?.sha256);
    const files = await Promise.all(
      (await readdir(join(first.cwd, 'boats'))).map((name) => readFile(join(first.cwd, 'boats', name))),
    );
    const got = files.map((bytes) => createHash('sha256').update(bytes).digest('hex'));
    expect(got).toHaveLength(COUNT);
    expect(got.sort()).toEqual(wanted.sort());
    expect(stack.emulator.requests.filter(({ kind }) => kind === 'image')).toHaveLength(COUNT);
  },
);

test('when README.md shows a program for a first picture then it is the one of examples, and makes one', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const [, block] = /```js\n(.*?)```/s.exec(readme) ?? [];
  expect(block).toBe(await readFile(new URL('../examples/picture.mjs', import.meta.url), 'utf8'));
  const stack = await stackOf();
  const { cwd, ended } = await program(stack, 'examples/picture.mjs');
  const [, file = '', bytes] = /^(lighthouse-0\.\w+) (\d+)$/.exec((await ended()).at(-1) ?? '') ?? [];
  expect((await readFile(join(cwd, file))).length).toBe(Number(bytes));
});

test("when a program uses OpenAI's SDK then it prints the answer", async () => {
  const stack = await stackOf();
  expect(await (await program(stack, 'examples/openai.ts')).ended()).toEqual(['You said: Say hello']);
});

test('when a webhook comes to the receiver on Express then it handles it, and refuses what is not from the service', async () => {
  const stack = await stackOf();
  const { secret } = await stack.tenant.get<{ secret: string }>('/v1/webhook-secret');
  const env = { WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 1).toString('base64')},${secret}`, PORT: '0' };
  const entry = fileURLToPath(new URL('../examples/receiver.ts', import.meta.url));
  const receiver = await startProcess({ entry, env, ready: /port: \d+/ });
  onTestFinished(() => receiver.stop());
  const port = /port: (\d+)/.exec(receiver.lines.map(({ raw }) => raw).join(' '))?.[1];
  const url = `http://127.0.0.1:${port}/hooks`;
  const { id } = await stack.tenant.post<Job>('/v1/jobs', chat({ url }));
  await receiver.waitForLine(new RegExp(`^job\\.succeeded ${id} succeeded$`));
  expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(400);
});

test('when the other examples of the README run then they print what they say', async () => {
  const stack = await stackOf();
  const names = ['run', 'errors', 'large-batch'];
  const [run, errors, largeBatch] = await Promise.all(
    names.map(async (name) => (await program(stack, `packages/client/test/examples/${name}.ts`)).ended()),
  );
  expect(run?.at(-1)).toBe('You said: Say hello');
  expect(errors).toEqual(['failed model_unavailable true', '422 invalid_request /input/model']);
  const answer = (word: string) => `${word} You said: A sentence about a ${word}, please`;
  expect(largeBatch).toEqual(['3 items, 441 bytes', answer('lighthouse'), answer('boat'), answer('kite')]);
});

const CUTS = ['before', 'after', 'midst'] as const;

/** In front of the API: cuts the connection of the first POSTs to a path, by each way of `cuts` once. */
async function losesAnswers(
  api: string,
  cuts: readonly (typeof CUTS)[number][] = CUTS,
): Promise<{ url: string; lost: string[] }> {
  const lost: string[] = [];
  const server = createServer((request, response) => {
    const { method, url = '', headers } = request;
    const path = url.replace(/\?.*$/, '');
    const cut = method === 'POST' ? cuts.find((way) => !lost.includes(`${way} ${path}`)) : undefined;
    if (cut !== undefined) lost.push(`${cut} ${path}`);
    if (cut === 'before') {
      request.socket.destroy();
      return;
    }
    const forward = requestOf(new URL(url, api), { method, headers }, async (answer) => {
      if (cut === undefined) {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
        return;
      }
      const whole = await buffer(answer);
      if (cut === 'midst') {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        await new Promise((resolve) => response.write(whole.subarray(0, whole.length / 2), resolve));
      }
      request.socket.destroy();
    });
    forward.on('error', () => response.destroy());
    request.pipe(forward);
  });
  return { url: await listen(server, onTestFinished), lost };
}
