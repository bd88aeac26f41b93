import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { startStack } from './stack.ts';

const text = readFileSync(new URL('../docs/api.md', import.meta.url), 'utf8');
const blocks = [...text.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block ?? '');

interface Document {
  paths: Record<string, Record<string, unknown>>;
}

test('when each line of docs/api.md is run from top to bottom then all of them work', async () => {
  const stack = await startStack({ emulator: { taskMs: 200 } });
  const cwd = mkdtempSync(join(tmpdir(), 'api-doc-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  const script = ['set -eu', 'set -o pipefail', ...blocks].join('\n');
  const { stdout } = await promisify(execFile)('bash', ['-c', script], {
    cwd,
    env: { PATH: process.env['PATH'], API: stack.url, KEY: stack.tenant.key, HOOKS: stack.receiver.url, ADMIN: stack.admin.key },
    timeout: 90_000,
  });
  expect(stdout).toMatch(/^job_[0-9A-Z]{26}\n/);
  expect(stdout).toMatch(/\D304\n/);
  expect(stdout).toContain('event: job.succeeded');
  expect(stdout).toContain('"delta":{"role":"assistant","content":"You ');
  expect(stdout).toContain('event: end\ndata: {"status":"succeeded"}');
  expect(stdout).toContain('event: job.canceled');
  expect(stdout).toContain('"run":2');
  expect(stdout).toMatch(/\D204\n/);
  expect(stdout).toMatch(/"line":1,"custom_id":"hello-1".*"status":"succeeded"/);
  expect(stdout).toContain('"retrying":1');
  expect(stdout).toContain('"secret":"whsec_');
  expect(stdout).toContain('"older":[{"id":"whk_');
  expect(statSync(join(cwd, 'lighthouse.png')).size).toBeGreaterThan(1000);
});

test('every route of openapi.json has a line in docs/api.md', () => {
  const document = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8')) as Document;
  const lines = blocks
    .join('\n')
    .replaceAll('\\\n', ' ')
    .replaceAll(/\$\{?(JOB|TOKENS|SLOW|HOOK|BATCH|MANY|KEYID|BULK|MODEL)\b\}?/g, '{id}')
    .replaceAll('$QUEUE', '{name}')
    .replaceAll('$TENANT', '{tenant}')
    .replaceAll('images/0', 'images/{n}')
    .split(/curl /);
  const told = lines.flatMap((line) => {
    const path = /"\$API([^"?]+)/.exec(line)?.[1];
    return path === undefined ? [] : [`${/-X (\w+)/.exec(line)?.[1] ?? 'GET'} ${path}`];
  });
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(routes.filter((route) => !told.includes(route))).toEqual([]);
});
