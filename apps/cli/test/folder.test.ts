import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { listen } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { folder } from './command-line.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

test('when npm runs it in another folder then relative paths start there', async () => {
  const taken: string[] = [];
  const service = createServer(async (request, response) => {
    taken.push(Buffer.concat(await request.toArray()).toString());
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"id":"job_1","status":"queued"}');
  });
  const url = await listen(service, onTestFinished);
  const cwd = await folder();
  await mkdir(join(cwd, 'orders'));
  const request = { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'from my folder' }] } };
  await writeFile(join(cwd, 'orders', 'one.json'), JSON.stringify(request));
  const { PATH = '', HOME = '' } = process.env;
  const npm = ['--prefix', root, 'run', '--silent', 'jobs', '--', 'submit', 'orders/one.json'];
  const env = { PATH, HOME, GRSAI_JOBS_API: url, GRSAI_JOBS_KEY: 'gj_key' };
  const { stdout } = await promisify(execFile)('npm', npm, { cwd, env, timeout: 25_000 });
  expect(stdout).toContain('job_1');
  expect(JSON.parse(taken[0] ?? '')).toMatchObject(request);
});
