import { expect, test } from 'vitest';
import { type DatedSecret, livingSecrets, newSecret, rotateSecrets, secretBytes, WebhookSecretError } from './secrets.ts';

const HOUR = 3_600_000;

test('a new secret is whsec_ and 32 random bytes', () => {
  expect(newSecret()).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(secretBytes(newSecret())).toHaveLength(32);
  expect(newSecret()).not.toBe(newSecret());
});

test.each([
  ['whsec_', '0 bytes'],
  [`whsec_${Buffer.alloc(23).toString('base64')}`, '23 bytes'],
  [`whsec_${Buffer.alloc(65).toString('base64')}`, '65 bytes'],
  ['whsec_not*base64*not*base64*not*base64*', 'not base64'],
])('the secret %s is refused without being repeated', (secret, words) => {
  expect(() => secretBytes(secret)).toThrow(WebhookSecretError);
  expect(() => secretBytes(secret)).toThrow(words);
});

test('after a rotation both secrets sign until the overlap is over', () => {
  const rotated = rotateSecrets([{ secret: 'old' }], 'new', { now: 0, overlapMs: 24 * HOUR });
  expect(livingSecrets(rotated, 0)).toEqual(['new', 'old']);
  expect(livingSecrets(rotated, 24 * HOUR - 1)).toEqual(['new', 'old']);
  expect(livingSecrets(rotated, 24 * HOUR)).toEqual(['new']);
});

test('without an overlap the old secret ends at once', () => {
  expect(rotateSecrets([{ secret: 'old' }], 'new', { now: 5, overlapMs: 0 })).toEqual([{ secret: 'new' }]);
});

test('a second rotation never gives an old secret more time, but may give it less', () => {
  const once = rotateSecrets([{ secret: 'a' }], 'b', { now: 0, overlapMs: 10 });
  expect(rotateSecrets(once, 'c', { now: 5, overlapMs: 100 })).toEqual([
    { secret: 'c' },
    { secret: 'b', until: 105 },
    { secret: 'a', until: 10 },
  ]);
  expect(rotateSecrets(once, 'c', { now: 5, overlapMs: 1 })).toEqual([
    { secret: 'c' },
    { secret: 'b', until: 6 },
    { secret: 'a', until: 6 },
  ]);
  expect(rotateSecrets(once, 'c', { now: 10, overlapMs: 1 })).toEqual([{ secret: 'c' }, { secret: 'b', until: 11 }]);
});

test('rotating in a hurry keeps five secrets alive at most', () => {
  let secrets: DatedSecret[] = [];
  for (let i = 0; i < 20; i += 1) secrets = rotateSecrets(secrets, `s${i}`, { now: i, overlapMs: HOUR });
  expect(livingSecrets(secrets, 20)).toEqual(['s19', 's18', 's17', 's16', 's15']);
});
