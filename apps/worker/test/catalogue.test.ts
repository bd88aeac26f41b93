import { createLogger } from '@grsai-jobs/runtime';
import { expect, test } from 'vitest';
import { createCatalogueTask } from '../src/maintenance/catalogue.ts';
import { startHarness } from './harness.ts';

async function start(addressesOf: (url: string) => string[] = (url) => [url]) {
  const harness = await startHarness();
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (text: string) => void lines.push(JSON.parse(text) as Record<string, unknown>) };
  const log = createLogger({ name: 'test', level: 'info', pretty: false, destination });
  const task = createCatalogueTask({ ...harness, log }, addressesOf(harness.emulator.url));
  const counts = () =>
    Promise.all(['read', 'failed'].map((outcome) => harness.count(`catalogue_reads_total{outcome="${outcome}"}`)));
  return { ...harness, task, lines, counts, read: () => harness.store.catalogue.read() };
}

test('when the task runs then the list stands in Redis with the time, and the next one takes its place', async () => {
  const { task, read, emulator, clock, counts } = await start();
  expect(await read()).toBeNull();
  await task();
  const first = await read();
  expect(first?.read_at).toBe(clock.now());
  expect(first?.models.find(({ id }) => id === 'nano-banana-2')).toMatchObject({ price: { credits: 1200 }, closed: false });
  emulator.configure({ models: { 'nano-banana-2': 'removed' } });
  await clock.advance(600_000);
  await task();
  const second = await read();
  expect(second?.read_at).toBe(clock.now());
  expect(second?.models.find(({ id }) => id === 'nano-banana-2')).toMatchObject({ closed: true });
  expect(await counts()).toEqual([2, 0]);
});

test('when upstream has no list for us then the last one stays, and it is logged and counted', async () => {
  const { task, read, emulator, clock, counts, lines } = await start();
  await task();
  const good = await read();
  emulator.script({ fault: 'F4', on: 'side' });
  await clock.advance(600_000);
  await task();
  expect(await read()).toEqual(good);
  expect(await counts()).toEqual([1, 1]);
  expect(lines).toMatchObject([{ level: 'warn', event: 'catalogue.unread' }]);
  expect(JSON.stringify(lines)).not.toContain('sk-');
});

test('when the first address has no list then the next is asked, and nothing failed', async () => {
  const { task, read, counts, lines } = await start((url) => [`${url}/no-such-path`, 'http://127.0.0.1:9', url]);
  await task();
  expect((await read())?.models.length).toBeGreaterThan(30);
  expect([await counts(), lines]).toEqual([[1, 0], []]);
});

test('when rows cannot be read then the others are kept, and the rest is counted', async () => {
  const harness = await startHarness();
  const lines: unknown[] = [];
  const log = createLogger({
    name: 'test',
    level: 'info',
    pretty: false,
    destination: { write: (text: string) => void lines.push(JSON.parse(text)) },
  });
  const model = {
    id: 'a',
    type: null,
    price: null,
    maintenance: null,
    closed: false,
    refunds: { error: null, violation: null },
    tokenLimit: null,
  };
  const grsai = { models: { list: async () => ({ models: [model], leftOut: 2 }) } };
  await createCatalogueTask({ ...harness, grsai, log }, ['http://upstream.test'])();
  expect((await harness.store.catalogue.read())?.models).toEqual([model]);
  expect(lines).toMatchObject([{ event: 'catalogue.rows_left_out', left_out: 2, models: 1 }]);
});

test('when the catalogue is off then nobody is asked and nothing is written', async () => {
  const { task, read, emulator, counts } = await start(() => []);
  await task();
  expect([await read(), await counts(), emulator.requests]).toEqual([null, [0, 0], []]);
});
