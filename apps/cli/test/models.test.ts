import type { Model } from '@grsai-jobs/client';
import { expect, test } from 'vitest';
import { commandLine } from './command-line.ts';
import { json, startService } from './fake-service.ts';

const model = (id: string, more: Partial<Model> = {}): Model => ({
  id,
  object: 'model',
  type: 'image',
  price: { credits: 1200 },
  price_source: 'list',
  closed: false,
  maintenance: null,
  refunds: { error: true, violation: false },
  token_limit: null,
  updated_at: '2026-05-01T12:00:00.000Z',
  ...more,
});

test('when models are listed then each kind of price and state is told, and as JSON each is a line', async () => {
  const data = [
    model('nano-banana-2'),
    model('gemini-3.1-pro', { type: 'chat', price: { input: 30_000, output: 140_000 }, price_source: 'table' }),
    model('minimax-h3', {
      type: 'video',
      price: { per_second: { '480p': 2500, '1080p': 8000 } },
      maintenance: 'back at\n\u001b[31mnoon',
    }),
    model('nano-banana', { price: null, price_source: null, closed: true }),
  ];
  const service = await startService((_taken, response) => json(response, 200, { object: 'list', data, next_cursor: null }));
  const { code, stdout } = await commandLine(service.url)(['models']);
  expect(code).toBe(0);
  expect(stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | '))).toEqual([
    'MODEL | TYPE | CREDITS | FROM | STATE | WHY',
    'nano-banana-2 | image | 1 200 a call | list | open | –',
    'gemini-3.1-pro | chat | 30 000 in, 140 000 out a million | table | open | –',
    'minimax-h3 | video | 480p 2 500, 1080p 8 000 a second | list | maintenance | back at noon',
    'nano-banana | image | – | – | closed | –',
    '',
  ]);
  const lines = (await commandLine(service.url)(['models', '--json'])).stdout.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(data);
});

test('when models are named then these are asked for, and one that is not known is an error', async () => {
  const service = await startService(({ path }, response) =>
    path.endsWith('nano-banana-2')
      ? json(response, 200, model('nano-banana-2'))
      : json(response, 404, { code: 'not_found', title: 'Not found', detail: 'No model of this name is known.', status: 404 }),
  );
  const run = commandLine(service.url);
  expect(await run(['models', 'nano-banana-2'])).toMatchObject({ code: 0, stdout: expect.stringContaining('1 200 a call') });
  expect(await run(['models', 'a/b'])).toMatchObject({ code: 1, stderr: expect.stringContaining('No model of this name') });
  expect(service.requests.map(({ path }) => path)).toEqual(['/v1/models/nano-banana-2', '/v1/models/a%2Fb']);
});

test('when a job is accepted with warnings then they stand on stderr, and stdout has the id alone', async () => {
  const warnings = [{ pointer: '/input/model', code: 'model_closed', message: '"nano-banana" is closed' }];
  const service = await startService((_taken, response) => json(response, 202, { id: 'job_1', status: 'queued', warnings }));
  const { stdout, stderr } = await commandLine(service.url)(['submit', '--image', 'x', '--model', 'nano-banana']);
  expect([stdout, stderr]).toEqual(['job_1\n', expect.stringContaining('Warning: "nano-banana" is closed')]);
});
