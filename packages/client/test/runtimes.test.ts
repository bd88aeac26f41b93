import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Webhook } from 'standardwebhooks';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { cut, event, job, json, lost, NDJSON, SSE, serveBy, silent, text } from './service.ts';

/** What is published is built once, and run by each runtime that is installed here. */

const run = promisify(execFile);
const root = fileURLToPath(new URL('../', import.meta.url));
const program = fileURLToPath(new URL('programs/everything.mjs', import.meta.url));
const VERSIONS = ['v20.', 'v22.', 'v24.', 'deno', 'bun'];

/** Each `node`, `deno` and `bun` on the PATH and where systems put them, by its version. */
async function installed(): Promise<Map<string, string[]>> {
  const dirs = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'];
  const paths = dirs.flatMap((dir) => ['node', 'deno', 'bun'].map((name) => join(dir, name))).filter((path) => existsSync(path));
  const found = new Map<string, string[]>();
  for (const path of new Set(paths.map((each) => realpathSync(each)))) {
    const { stdout } = await run(path, ['--version']).catch(() => ({ stdout: '' }));
    if (path.endsWith('deno')) found.set('deno', [path, 'run', '--allow-all']);
    else if (path.endsWith('bun')) found.set('bun', [path]);
    else found.set(VERSIONS.find((each) => stdout.startsWith(each)) ?? stdout.trim(), [path]);
  }
  return found;
}

let dist = '';
let runtimes = new Map<string, string[]>();
beforeAll(async () => {
  dist = await mkdtemp(join(tmpdir(), 'grsai-jobs-client-'));
  // What is built is a module by the nearest package.json.
  await writeFile(join(dist, 'package.json'), '{"type":"module"}');
  await run(join(root, 'node_modules/.bin/tsc'), ['-p', join(root, 'tsconfig.build.json'), '--outDir', dist]);
  runtimes = await installed();
  return () => rm(dist, { recursive: true });
});

const content = 'a paper lighthouse '.repeat(5_000);
const sha256 = createHash('sha256').update(content).digest('hex');
const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

/** Loses the first answer to each POST, cuts the first stream of events and of results. */
async function service() {
  const seen = new Set<string>();
  const made = await serveBy(({ method, url, body }) => {
    const first = !seen.has(`${method} ${url}`);
    seen.add(`${method} ${url}`);
    if (method === 'POST' && first) return lost;
    if (url === '/v1/jobs') return json(job('queued'), 202);
    if (url === '/v1/batches') return json({ id: 'batch_1', lines: body.trimEnd().split('\n').length }, 202);
    if (url.endsWith('/events')) return first ? cut(event(1, 'queued'), SSE) : text(event(2, 'succeeded'), SSE);
    if (url.includes('/results')) return first && !url.includes('after_line') ? cut(row(1), NDJSON) : text(row(2), NDJSON);
    if (url === '/bucket') return text(content, { 'content-type': 'image/png' });
    if (url === '/sign') return json(signed());
    if (url === '/v1/jobs/slow') return silent;
    const image = { index: 0, url: `${made.url}/bucket`, bytes: content.length, sha256, key: 'a/job_1/1-0.png' };
    return json(job('succeeded', { result: { images: [image], choices: [{ message: { content: 'Hello' } }] } }));
  });
  return made;
}
const row = (line: number) => `${JSON.stringify({ line, custom_id: `item-${line}` })}\n`;
function signed() {
  const now = new Date();
  const body = JSON.stringify({ id: 'evt_1', type: 'job.succeeded', data: { id: 'job_1' } });
  const headers = {
    'webhook-id': 'evt_1',
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign('evt_1', now, body),
  };
  return { body, headers, secret };
}

test.each(VERSIONS)('when what is built runs by %s then jobs, batches, downloads and webhooks work', async (version) => {
  const [command, ...args] = runtimes.get(version) ?? [];
  if (command === undefined) {
    console.log(`${version} is not installed: nothing was tried.`);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'grsai-jobs-client-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { url } = await service();
  const { stdout } = await run(command, [...args, program, dist, url, folder], { env: { PATH: process.env['PATH'] } });
  expect(JSON.parse(stdout)).toEqual({
    text: 'Hello',
    lines: 2_000,
    rows: ['item-1', 'item-2'],
    bytes: content.length,
    event: 'job.succeeded',
    refused: 'no_signature_fits',
    slow: 'TimeoutError',
  });
});
