import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startEmulator } from '@grsai-jobs/grsai-emulator';
import { expect, onTestFinished, test } from 'vitest';
import * as api from '../src/index.ts';
import { KEY } from './support.ts';

const run = promisify(execFile);
const at = (path: string): URL => new URL(path, import.meta.url);
const readme = () => readFile(at('../README.md'), 'utf8');

/** Runs an example as its reader would, against the stand-in upstream. */
async function example(file: URL): Promise<{ stdout: string; files: string[] }> {
  const emulator = await startEmulator({ taskMs: 20, chatMs: 5, imageEdge: 16 });
  onTestFinished(() => emulator.close());
  const cwd = await mkdtemp(join(tmpdir(), 'grsai-readme-'));
  onTestFinished(() => rm(cwd, { recursive: true }));
  const env = { ...process.env, GRSAI_API_KEY: KEY, GRSAI_BASE_URLS: emulator.url, POLL_MS: '10' };
  const { stdout } = await run(process.execPath, [fileURLToPath(file)], { cwd, env });
  return { stdout, files: await readdir(cwd) };
}

test('every example stands in the README word for word, and no other code does', async () => {
  const blocks = [...(await readme()).matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code);
  const names = await readdir(at('examples/'));
  const examples = await Promise.all(names.map((name) => readFile(at(`examples/${name}`), 'utf8')));
  expect(blocks.sort()).toEqual(examples.sort());
});

test('the image example submits, waits and stores the file', async () => {
  const { stdout, files } = await example(new URL('./examples/image.ts', import.meta.url));
  expect(stdout).toMatch(/^lighthouse-0: image\/(?:png|jpeg)\ntask succeeded\n$/);
  expect(files).toEqual([expect.stringMatching(/^lighthouse-0\.(?:png|jpeg)$/)]);
});

test('the error example says what may be done', async () => {
  expect((await example(new URL('./examples/errors.ts', import.meta.url))).stdout.split('\n')).toEqual([
    expect.stringMatching(/^taken: http/),
    expect.stringMatching(/^correct it: .*aspectRatio/),
    'give up: model',
    '',
  ]);
});

test('the chat example prints the answer twice, whole and as it comes', async () => {
  const [whole, streamed, reason] = (await example(new URL('./examples/chat.ts', import.meta.url))).stdout.split('\n');
  expect(whole).not.toBe('');
  expect(streamed).toBe(whole);
  expect(reason).toBe('stop');
});

test('the models example needs no upstream', async () => {
  const { stdout } = await example(new URL('./examples/models.ts', import.meta.url));
  expect(stdout).toContain("[ '1K', '2K', '4K' ]\n1152x2048\naspectRatio: ");
  expect(stdout).toContain('imageSize: gpt-image-2-vip has none');
});

test('the time limits and nodes of the README are those of the code', async () => {
  const text = (await readme()).replaceAll(/(?<=\d) (?=\d)/g, '');
  for (const [name, ms] of Object.entries(api.TIMEOUTS)) expect(text).toContain(`\`${name}\` ${ms}`);
  for (const url of api.BASE_URLS) expect(text).toContain(url);
});
