import fc from 'fast-check';
import { expect, test } from 'vitest';
import { durationBucket, durationKind, durationsOf, likelyDurationMs } from './durations.ts';
import { UNKNOWN_DURATIONS } from './poll-pace.ts';
import { JobRequest } from './request.ts';

const histogramOf = (durations: readonly number[]) => {
  const weights = new Map<number, number>();
  for (const ms of durations) weights.set(durationBucket(ms), (weights.get(durationBucket(ms)) ?? 0) + 1);
  return { tasks: durations.length, weights };
};

const duration = fc.integer({ min: 1000, max: 7_200_000 });

test('when fewer than 20 tasks of a kind are known then nothing is', () => {
  expect(durationsOf(histogramOf(Array.from({ length: 19 }, () => 5000)))).toBe(UNKNOWN_DURATIONS);
  expect(durationsOf(histogramOf(Array.from({ length: 20 }, () => 5000)))).not.toBe(UNKNOWN_DURATIONS);
  expect(durationsOf({ tasks: 50, weights: new Map() })).toBe(UNKNOWN_DURATIONS);
});

test('whatever the durations, the learned percentiles are those of the tasks, within the width of a bucket', () => {
  fc.assert(
    fc.property(fc.array(duration, { minLength: 20, maxLength: 300 }), (durations) => {
      const sorted = [...durations].sort((a, b) => a - b);
      const { p20, p90, p99 } = durationsOf(histogramOf(durations));
      for (const [part, learned] of [
        [0.2, p20],
        [0.9, p90],
        [0.99, p99],
      ] as const) {
        const real = sorted[Math.ceil(part * sorted.length - 1e-9) - 1] ?? 0;
        expect(learned).toBeGreaterThanOrEqual(real / 1.11);
        expect(learned).toBeLessThanOrEqual(real * 1.11);
      }
    }),
  );
});

test('whatever the durations, a shorter one never has a later bucket, and the number of buckets is bounded', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.double({ min: 0, max: 1e9, noNaN: true }), (a, b) => {
      expect(durationBucket(Math.min(a, b))).toBeLessThanOrEqual(durationBucket(Math.max(a, b)));
      expect(durationBucket(a)).toBeGreaterThanOrEqual(0);
      expect(durationBucket(a)).toBeLessThan(100);
    }),
  );
});

test('whatever the polls, the likely duration lies between the last poll that saw the task run and the one that saw it done', () => {
  fc.assert(
    fc.property(duration, duration, (a, b) => {
      const [running, at] = a < b ? [a, b] : [b, a];
      const seen = Math.min(at, running + 15_000);
      const likely = likelyDurationMs(seen, running, UNKNOWN_DURATIONS);
      expect(likely).toBeGreaterThanOrEqual(running);
      expect(likely).toBeLessThanOrEqual(seen);
    }),
    // Both polls at the same age, and no first poll comes as late as that.
    { examples: [[7_200_000, 7_200_000]] },
  );
});

test('when the first poll finds a task done then it counts as shorter than that, else the percentile could never fall', () => {
  const known = { p20: 40_000, p90: 80_000, p99: 120_000 };
  expect(likelyDurationMs(41_000, undefined, known, () => 0.5)).toBeLessThan(known.p20);
});

test('when nobody looked in time then how long the task took is not known, and nothing is learned of it', () => {
  const known = { p20: 12_000, p90: 20_000, p99: 30_000 };
  // Its worker died, and the next one looked first.
  expect(likelyDurationMs(35_000, undefined, known)).toBeNull();
  expect(likelyDurationMs(45_000, 12_000, known)).toBeNull();
  expect(likelyDurationMs(22_000, 12_000, known)).toBe(17_000);
});

test('when two jobs differ in model or size then they are learned apart', () => {
  const doc = (input: object) => ({
    ...JobRequest.parse({ type: 'image', input: { model: 'nano-banana-2', prompt: 'x', ...input } }),
    on_unknown_submit: 'fail' as const,
  });
  const kinds = [{}, { image_size: '2K' }, { image_size: '4K' }, { model: 'gpt-image-2' }].map((each) => durationKind(doc(each)));
  expect(new Set(kinds).size).toBe(4);
  expect(durationKind(doc({ prompt: 'another' }))).toBe(kinds[0]);
});
