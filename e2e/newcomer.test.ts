import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { listen } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

/** A module of the scripts is used as the scripts use it: by Node, in a process. */
const evaluate = async (code: string): Promise<string[]> => {
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: root });
  return JSON.parse(stdout) as string[];
};

/** Variables that the shell lines of a page read and do not set themselves. */
function readBy(page: string): string[] {
  const blocks = [...readFileSync(`${root}${page}`, 'utf8').matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
  const text = blocks.join('\n');
  const read = [...text.matchAll(/\$\{?([A-Z_]+)\b/g)].map(([, name = '']) => name);
  return [...new Set(read)].filter((name) => !new RegExp(`(^|[\\s;(])${name}=|for ${name} in`, 'm').test(text));
}

test('when the line of npm start is pasted then each variable of README.md and docs is set, and the lines after it work with them', async () => {
  const lines = await evaluate(`
    import { tryLines } from './scripts/stack/try-lines.ts';
    console.log(JSON.stringify(tryLines({ api: 'http://127.0.0.1:40123', key: 'gj_tenant', adminKey: '$(echo gj_admin)' })));
  `);
  const wanted = ['README.md', 'docs/api.md', 'docs/cli.md', 'docs/operations.md', 'docs/webhooks.md'].flatMap(readBy);
  // A receiver of one's own is a part of no service.
  const names = [...new Set([...wanted, 'API', 'KEY', 'ADMIN', 'GRSAI_JOBS_API', 'GRSAI_JOBS_KEY'])].filter(
    (name) => name !== 'HOOKS',
  );
  const show = `${lines[0]}\nfor name in ${names.join(' ')}; do echo "$name=\${!name:-}"; done`;
  const { stdout } = await run('bash', ['-c', show], { env: { PATH: process.env['PATH'] } });
  expect(stdout.split('\n').filter((line) => line.endsWith('='))).toEqual([]);
  expect(stdout).toContain('API=http://127.0.0.1:40123\n');
  expect(stdout).toContain('GRSAI_JOBS_API=http://127.0.0.1:40123\n');
  expect(stdout).toContain('ADMIN=gj_admin\n');
  expect(stdout).toContain('GRSAI_JOBS_KEY=gj_tenant\n');
  for (const line of lines.slice(1)) expect(line).not.toMatch(/https?:|gj_/);
});

test('when a port is taken then another one is found and both are reported, and a port that was asked for is refused', async () => {
  const url = await listen(createServer(), onTestFinished);
  const { port } = new URL(url);
  const [found = '', ...said] = await evaluate(`
    import { configuredPort, portFinder } from './scripts/stack/ports.ts';
    const said = [];
    const found = await portFinder((line) => said.push(line))('the API', ${port});
    await configuredPort('PORT', '${port}').catch((error) => said.push(error.message));
    console.log(JSON.stringify([String(found), ...said]));
  `);
  expect(found).not.toBe(port);
  expect(said).toEqual([
    `Port ${port} is in use by another program: the API is at ${found} instead.`,
    `PORT=${port} is in use by another program. End it, or set PORT to another port.`,
  ]);
});

test('when npm start starts the apps then the health of the worker is for this machine only, unless somebody says where', async () => {
  const hosts = await evaluate(`
    import { appEnvironment } from './scripts/stack/app-environment.ts';
    const ports = { PORT: '8080', HEALTH_PORT: '9090' };
    console.log(JSON.stringify([{}, { HEALTH_HOST: '' }, { HEALTH_HOST: '0.0.0.0' }].map((env) => appEnvironment(env, ports).HEALTH_HOST)));
  `);
  expect(hosts).toEqual(['127.0.0.1', '127.0.0.1', '0.0.0.0']);
});

test('when keys are kept in a directory that others can read then both are for their owner only from then on', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'data-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const [old, kept] = [join(dir, 'old'), join(dir, 'old', 'new', 'keys')];
  mkdirSync(old, { mode: 0o755 });
  const [secret, again] = await evaluate(`
    import { privateDirectory } from './scripts/stack/private-directory.ts';
    import { keptSecret } from './scripts/stack/secrets.ts';
    import { chmodSync } from 'node:fs';
    privateDirectory('${old}');
    privateDirectory('${kept}');
    const first = keptSecret('${kept}', 'key', () => 'a secret');
    chmodSync('${kept}/key', 0o644);
    console.log(JSON.stringify([first, keptSecret('${kept}', 'key', () => 'another')]));
  `);
  expect([secret, again]).toEqual(['a secret', 'a secret']);
  const modes = [old, join(old, 'new'), kept, join(kept, 'key')].map((path) => (statSync(path).mode & 0o777).toString(8));
  expect(modes).toEqual(['700', '700', '700', '600']);
});
