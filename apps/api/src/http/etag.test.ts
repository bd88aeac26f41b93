import type { JobRecord } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { etagOf, hasLinks, matchesEtag } from './etag.ts';

const NOW = 1_800_000_000_000;

const job = (more: Partial<JobRecord> = {}): JobRecord =>
  ({
    run: 1,
    seq: 3,
    step: 2,
    status: 'succeeded',
    ver: 5,
    task: null,
    attempts: [],
    webhook: { state: 'pending', last_delivery_id: 'evt' },
    output: null,
    doc: { output: { url_ttl_s: 60 } },
    ...more,
  }) as JobRecord;

const images = job({ output: { kind: 'images', images: [] } });
const chat = job({ output: { kind: 'chat', completion: {} } });

test.each([
  { run: 2 },
  { seq: 4 },
  { step: 3 },
  { ver: 6 },
  { webhook: { state: 'delivered' as const, last_delivery_id: 'evt' } },
])('when %j changes then the version does', (more) => {
  expect(etagOf(job(more), NOW)).not.toBe(etagOf(job(), NOW));
});

test('when a result has links then its version lives at most half as long as they do, and without links it stays', () => {
  const lives = (record: JobRecord): number => {
    let ms = 0;
    while (ms < 1e6 && etagOf(record, NOW) === etagOf(record, NOW + ms)) ms += 1000;
    return ms;
  };
  expect(lives(images)).toBeGreaterThan(0);
  expect(lives(images)).toBeLessThanOrEqual(30_000);
  expect(lives(chat)).toBe(1e6);
});

test('when If-None-Match names the version in whatever form then it matches', () => {
  const etag = etagOf(job(), NOW);
  for (const header of [etag, etag.slice(2), `"x", ${etag}`, '*', ` ${etag} `]) expect(matchesEtag(header, etag)).toBe(true);
  for (const header of [undefined, '', '"x"', 'W/"x"', etag.slice(3)]) expect(matchesEtag(header, etag)).toBe(false);
});

test('when other credentials sign the links then the version is another one, and without links it is not', () => {
  expect(etagOf(images, NOW, { signsUntil: NOW + 60_000 })).not.toBe(etagOf(images, NOW, { signsUntil: NOW + 120_000 }));
  expect(etagOf(images, NOW, { signsUntil: NOW + 60_000 })).not.toBe(etagOf(images, NOW));
  expect([hasLinks(images), hasLinks(chat), hasLinks(job())]).toEqual([true, false, false]);
});

test('when the place in line of a queued job changes then its version does', () => {
  const at = (position: number) => etagOf(job({ status: 'queued' }), NOW, { waiting: { reason: 'turn', since: NOW, position } });
  expect(at(2)).not.toBe(at(1));
  expect(at(2)).toBe(at(2));
});
