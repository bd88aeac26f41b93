import { describe, expect, test } from 'vitest';
import { ownBytes } from './exchange.ts';
import { passed, tooSlow, type WireLimits } from './limits.ts';

const LIMITS: WireLimits = {
  bytes: 100_000,
  framing: { bytes: 40_000, perBodyByte: 0.125 },
  rate: { bytesPerSecond: 100, afterMs: 5_000 },
};

describe('an answer', () => {
  test.each([
    ['has its head', { arrived: 500, parsed: 500, body: 0, headEnded: true }, undefined],
    ['is as large as it may be', { arrived: 100_000, parsed: 100_000, body: 99_000, headEnded: true }, undefined],
    ['is larger', { arrived: 100_001, parsed: 90_000, body: 90_000, headEnded: true }, 'bytes'],
    ['has a head as long as may be', { arrived: 32_768, parsed: 32_768, body: 0, headEnded: false }, undefined],
    ['has a longer head', { arrived: 32_769, parsed: 32_769, body: 0, headEnded: false }, 'head'],
    ['has come and was not parsed', { arrived: 99_000, parsed: 0, body: 0, headEnded: false }, undefined],
    ['has much framing', { arrived: 50_000, parsed: 50_000, body: 10_000, headEnded: true }, undefined],
    ['is nearly all framing', { arrived: 50_000, parsed: 50_000, body: 8_000, headEnded: true }, 'framing'],
    ['has framing that its body allows', { arrived: 99_000, parsed: 99_000, body: 53_000, headEnded: true }, undefined],
  ])('when it %s, then the limit passed is reported', (_, progress, limit) => {
    expect(passed(progress, LIMITS)?.limit).toBe(limit);
  });

  test.each([
    [0, 4_999, undefined],
    [0, 5_000, 'rate'],
    [499, 5_000, 'rate'],
    [500, 5_000, undefined],
    [500, 6_000, 'rate'],
  ])('when %i bytes came in %i ms, then only what is too slow is reported', (body, ms, limit) => {
    expect(tooSlow(body, ms, LIMITS)?.limit).toBe(limit);
  });

  test('when no rate is asked for, then none is too slow', () => {
    expect(tooSlow(0, 1e9, { ...LIMITS, rate: undefined } as unknown as WireLimits)).toBeUndefined();
  });
});

describe('a chunk', () => {
  test.each([1, 100, 32_767])('when it is a view on %i bytes of 64 KiB, then it is copied', (length) => {
    const chunk = ownBytes(Buffer.alloc(65_536, 'x').subarray(5, 5 + length));
    expect(chunk.toString()).toBe('x'.repeat(length));
    expect(chunk.buffer.byteLength).toBe(length);
  });

  test('when it is most of what it keeps, then it is handed on as it is', () => {
    const chunk = Buffer.alloc(65_536).subarray(0, 32_768);
    expect(ownBytes(chunk)).toBe(chunk);
  });
});
