import { expect, test } from 'vitest';
import { parseOptions, repeatLine } from './options.ts';
import { numberOf, planJobs } from './plan-jobs.ts';
import { planTroubles } from './plan-troubles.ts';

const LONG = { seed: '7', jobs: 300, troubleMs: 60_000, calm: false };

test('when the seed is the same then load and troubles are the same, and another seed has others', () => {
  expect(planJobs(LONG)).toEqual(planJobs(LONG));
  expect(planTroubles(LONG)).toEqual(planTroubles(LONG));
  expect(planJobs({ ...LONG, seed: '8' })).not.toEqual(planJobs(LONG));
  expect(planTroubles({ ...LONG, seed: '8' })).not.toEqual(planTroubles(LONG));
});

test('when a run is planned then each kind of trouble comes at least once, within the time of trouble', () => {
  const troubles = planTroubles(LONG);
  expect(new Set(troubles.map((trouble) => trouble.kind)).size).toBe(10);
  expect(troubles.every(({ atMs }) => atMs >= 1500 && atMs <= LONG.troubleMs)).toBe(true);
});

test('when a run is long then one worker is frozen and one cut off past the time of an open submit, and nothing else strikes them', () => {
  for (let seed = 0; seed < 50; seed += 1) {
    const ofWorkers = planTroubles({ ...LONG, seed: String(seed) }).flatMap((trouble) => ('worker' in trouble ? [trouble] : []));
    const long = ofWorkers.filter((trouble) => trouble.ms > 31_000);
    expect(long.map((trouble) => trouble.kind)).toEqual(['worker.freeze', 'worker.cutoff']);
    for (const absence of long) {
      const during = ofWorkers.filter(({ atMs, ms }) => atMs <= absence.atMs + absence.ms && absence.atMs <= atMs + ms);
      expect(during.filter(({ worker }) => worker === absence.worker)).toEqual([absence]);
    }
  }
});

test('when a run is calm then nothing of ours is killed, frozen or cut off', () => {
  expect(new Set(planTroubles({ ...LONG, calm: true }).map((trouble) => trouble.kind))).toEqual(
    new Set(['s3.away', 'upstream.away']),
  );
});

test('when jobs are planned then each has its number in its prompt, and every kind is there', () => {
  const jobs = planJobs({ ...LONG, troubleMs: 120_000 });
  expect(jobs.map((job) => numberOf(job.prompt))).toEqual(jobs.map((job) => job.n));
  expect(new Set(jobs.map((job) => job.kind)).size).toBe(4);
  expect(new Set(jobs.map((job) => job.fault.directive)).size).toBeGreaterThan(30);
});

test('when a run has failed then its line parses to the same run', () => {
  const options = parseOptions(['--jobs', '40', '--minutes', '0.5', '--seed', 'a1', '--calm']);
  if (options === undefined) throw new Error('no options');
  expect(parseOptions(repeatLine(options).split(' ').slice(2))).toEqual(options);
  expect(() => parseOptions(['--jobs', 'many'])).toThrow('--jobs must be a number');
});
