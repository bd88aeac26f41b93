import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createJobStore } from '@grsai-jobs/job-store';
import type { ListedModel, ModelView } from '@grsai-jobs/jobs';
import { connectRedis } from '@grsai-jobs/redis';
import { image } from '@grsai-jobs/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadModelPrices } from '../src/model-prices.ts';
import { startApi, type TestApi } from './api.ts';

const listed = (id: string, more: Partial<ListedModel> = {}): ListedModel => ({
  id,
  type: 'image',
  price: null,
  maintenance: null,
  closed: false,
  refunds: { error: true, violation: false },
  tokenLimit: null,
  ...more,
});

const READ_AT = Date.parse('2026-11-27T10:00:00Z');

/** Writes the list as a worker does. */
async function putList({ redis: { url } }: TestApi, ...models: ListedModel[]): Promise<void> {
  const redis = await connectRedis(url, 'consumer', { onError: () => undefined });
  await createJobStore({ redis, prefix: 'gj', clock: { now: Date.now } }).catalogue.put({ read_at: READ_AT, models });
  redis.disconnect();
}

async function priceFile(text: string | Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'prices-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'prices.json'), text);
  return join(folder, 'prices.json');
}

const modelsOf = async ({ tenant }: TestApi): Promise<Map<string, ModelView>> => {
  const { data } = await tenant.get<{ data: ModelView[] }>('/v1/models');
  return new Map(data.map((model) => [model.id, model]));
};

test('when models are listed then each says its price and where it comes from: the file, the list or the table', async () => {
  const MODEL_PRICES = await priceFile('{"nano-banana-2": {"credits": 1}, "of-ours": {"per_second": {"1080p": 900}}}');
  const api = await startApi({ env: { MODEL_PRICES } });
  const before = await modelsOf(api);
  expect(before.get('nano-banana-pro')).toMatchObject({ price: { credits: 1800 }, price_source: 'table', updated_at: null });
  expect(before.get('nano-banana')).toMatchObject({ closed: true, price: null, price_source: null });
  await putList(
    api,
    listed('nano-banana-2', { price: { credits: 9 } }),
    listed('nano-banana-pro', { price: { credits: 9 } }),
    listed('a/b:c@d'),
  );
  const models = await modelsOf(api);
  expect(models.get('nano-banana-2')).toMatchObject({
    price: { credits: 1 },
    price_source: 'file',
    updated_at: '2026-11-27T10:00:00.000Z',
  });
  expect(models.get('nano-banana-pro')).toMatchObject({ price: { credits: 9 }, price_source: 'list' });
  expect(models.get('of-ours')).toMatchObject({ price: { per_second: { '1080p': 900 } }, price_source: 'file' });
  expect(models.get('gpt-5.5')).toMatchObject({ type: 'chat', price: { input: 44_000, output: 270_000 }, price_source: 'table' });
  for (const id of ['nano-banana-2', 'a/b:c@d'])
    expect(await api.tenant.get(`/v1/models/${encodeURIComponent(id)}`)).toEqual(models.get(id));
  const metrics = await (await fetch(`${api.url}/metrics`)).text();
  expect(Number(/^grsai_jobs_catalogue_age_seconds (.+)$/m.exec(metrics)?.[1])).toBeCloseTo((Date.now() - READ_AT) / 1000, -2);
});

test('when there is no list then no age of it is in the metrics', async () => {
  const api = await startApi();
  expect(await (await fetch(`${api.url}/metrics`)).text()).not.toMatch(/^grsai_jobs_catalogue_age_seconds/m);
});

test('when a model is not known, or something is asked that there is not, then the answer says so', async () => {
  const api = await startApi();
  const answer = async (path: string) => {
    const response = await api.tenant.send('GET', path);
    return { status: response.status, ...((await response.json()) as object) };
  };
  expect(await answer('/v1/models/no-such-model')).toMatchObject({ status: 404, code: 'not_found' });
  expect(await answer('/v1/models/constructor')).toMatchObject({ status: 404 });
  expect(await answer('/v1/models?type=image')).toMatchObject({ status: 422, code: 'invalid_request' });
});

test('when a job names a model that is closed or under maintenance then it is accepted with a warning, a line of a batch too', async () => {
  const api = await startApi();
  await putList(
    api,
    listed('nano-banana-2', { closed: true, maintenance: 'x' }),
    listed('gpt-image-2', { maintenance: '维护中' }),
    listed('nano-banana-pro'),
  );
  await modelsOf(api);
  const order = (model: string) =>
    image(api.receiver, 'x', { input: { model, prompt: 'x', image_size: model === 'nano-banana-2' ? '8K' : undefined } });
  const warningsOf = async (model: string) => {
    const response = await api.tenant.send('POST', '/v1/jobs', order(model));
    return [response.status, ((await response.json()) as { warnings?: unknown }).warnings];
  };
  expect(await warningsOf('nano-banana-2')).toEqual([
    202,
    [
      {
        pointer: '/input/model',
        code: 'model_closed',
        message: '"nano-banana-2" is closed, by the list of 2026-11-27T10:00:00.000Z; the job is accepted and tried all the same',
      },
      expect.objectContaining({ pointer: '/input/image_size', code: 'unknown_value' }),
    ],
  ]);
  expect(await warningsOf('gpt-image-2')).toEqual([
    202,
    [
      {
        pointer: '/input/model',
        code: 'model_maintenance',
        message:
          '"gpt-image-2" is under maintenance (维护中), by the list of 2026-11-27T10:00:00.000Z; the job is accepted and tried all the same',
      },
    ],
  ]);
  expect(await warningsOf('nano-banana-pro')).toEqual([202, undefined]);
  expect(await warningsOf('of-tomorrow')).toEqual([202, undefined]);
  expect(await warningsOf('nano-banana')).toEqual([
    202,
    [expect.objectContaining({ message: expect.stringContaining('as far as this version knows') })],
  ]);
  const lines = ['nano-banana-pro', 'gpt-image-2', 'nano-banana-2'].map((model, i) => ({ custom_id: `c${i}`, ...order(model) }));
  expect(await api.tenant.post('/v1/batches', { items: lines })).toMatchObject({
    warnings: { count: 2, lines: [{ line: 2, custom_id: 'c1', warnings: [{ code: 'model_maintenance' }] }, { line: 3 }] },
  });
});

describe('when the file of prices cannot be used then the start is refused with a sentence that says what is wrong', () => {
  test.each<[string, string | Uint8Array, RegExp]>([
    ['is no JSON', '{\n"a": 1200,\n', /^MODEL_PRICES: the file has a problem:\n {2}ends before its JSON does/],
    [
      'has a price that is none',
      '{\n"nano-banana-2": 1200}',
      /^MODEL_PRICES: the file has a problem:\n {2}line 2: "nano-banana-2" must have a price: /,
    ],
    ['has two problems', '{\n"a": 1,\n"b": 2}', /^MODEL_PRICES: the file has 2 problems:\n {2}line 2: "a" .*\n {2}line 3: "b" /],
    ['has many', JSON.stringify(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`m${i}`, i]))), /\n {2}and 20 more$/],
    ['is not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), /^MODEL_PRICES: the file is not UTF-8/],
    ['is too large', ' '.repeat(1024 * 1024 + 1), /^MODEL_PRICES: the file has 1048577 bytes; at most 1048576 are read/],
  ])('%s', async (_what, text, problem) => {
    await expect(loadModelPrices(await priceFile(text))).rejects.toThrow(problem);
  });

  test('is not there, or is a folder', async () => {
    await expect(loadModelPrices('/no/such/prices.json')).rejects.toThrow(/^MODEL_PRICES: there is no file at this path/);
    await expect(loadModelPrices(tmpdir())).rejects.toThrow(/^MODEL_PRICES: names no file/);
  });
});
