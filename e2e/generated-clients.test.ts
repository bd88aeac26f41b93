import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { type Stack, shareStack } from './stack.ts';

/** What strangers make of openapi.json with the tools that they have: the document is read by them, and their programs run. */

const clients = fileURLToPath(new URL('clients/', import.meta.url));
const root = fileURLToPath(new URL('../', import.meta.url));
const document = `${root}openapi.json`;
const generated = `${clients}generated`;

/** Rejects with all that it printed when it fails. */
async function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { cwd: clients, env: { ...process.env, ...env } });
    return `${stdout}${stderr}`;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`, { cause: error });
  }
}

const tool = (name: string): string => `${clients}node_modules/.bin/${name}`;
const program = (stack: Stack, name: string) =>
  run(process.execPath, [`${generated}/out/programs/${name}.js`], { API: stack.url, KEY: stack.tenant.key });

const stackOf = shareStack({ emulator: { chatMs: 5, taskMs: 50 } });

beforeAll(async () => {
  await rm(generated, { recursive: true, force: true });
  await mkdir(generated);
  await Promise.all([
    run(tool('openapi-typescript'), [document, '-o', `${generated}/openapi-typescript.ts`]),
    run(tool('openapi-ts'), ['-i', document, '-o', `${generated}/hey-api`, '-c', '@hey-api/client-fetch', '--no-log-file']),
  ]);
  await run(`${root}node_modules/.bin/tsc`, ['-p', clients]);
});

test('when redocly reads the document then it has neither an error nor a warning', async () => {
  const told = await run(tool('redocly'), ['lint', document, '--config', `${root}redocly.yaml`]);
  expect(told).toContain('Your API description is valid');
  expect(told).not.toMatch(/warning/i);
});

test.each([
  ['openapi-typescript', 'openapi-fetch', ['hello', 'boat', 'a', 'b']],
  ['@hey-api/openapi-ts', 'hey-api', ['hello', 'boat']],
])(
  'when a program uses a client by %s then it compiles with plain flags, and jobs, batches and results are as typed',
  async (_, name, items) => {
    expect(JSON.parse(await program(await stackOf(), name))).toEqual({
      job: 'succeeded',
      rows: items.map((item) => [item, 'succeeded']),
      refused: 'invalid_request',
    });
  },
);
