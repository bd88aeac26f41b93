import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSecretBox, SecretBoxError } from './secret-box.ts';

const key = (): string => randomBytes(32).toString('base64');

test('what is sealed opens again for its tenant, whatever the text', () => {
  const box = createSecretBox(key());
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, tenant) => {
      const sealed = box.seal(text, tenant);
      expect(box.open(sealed, tenant)).toBe(text);
      expect(sealed).toMatch(/^v1\.[0-9a-f]{8}\.[\w-]+$/);
    }),
  );
});

test('the same text is sealed differently each time, and never readable', () => {
  const box = createSecretBox(key());
  expect(box.seal('whsec_abc', 't')).not.toBe(box.seal('whsec_abc', 't'));
  expect(Buffer.from(box.seal('whsec_abc', 't').split('.')[2] ?? '', 'base64url').includes('whsec')).toBe(false);
});

test('for another tenant it does not open', () => {
  const box = createSecretBox(key());
  expect(() => box.open(box.seal('x', 'alice'), 'bob')).toThrow('belongs to another tenant');
});

test('with any one character changed it does not open', () => {
  const box = createSecretBox(key());
  const sealed = box.seal('secret', 't');
  const start = sealed.lastIndexOf('.') + 1;
  for (let i = start; i < sealed.length - 1; i += 1) {
    const forged = sealed.slice(0, i) + (sealed[i] === 'A' ? 'B' : 'A') + sealed.slice(i + 1);
    expect(() => box.open(forged, 't'), String(i)).toThrow(SecretBoxError);
  }
});

test('a key is rotated by putting a new one in front: both open, the new one seals', () => {
  const [old, fresh] = [key(), key()];
  const before = createSecretBox(old).seal('x', 't');
  const box = createSecretBox(`${fresh}, ${old}`);
  expect(box.open(before, 't')).toBe('x');
  expect(box.isCurrent(before)).toBe(false);
  const after = box.seal('x', 't');
  expect(box.isCurrent(after)).toBe(true);
  expect(createSecretBox(fresh).open(after, 't')).toBe('x');
});

test('a key that is gone is named by its id, so that the operator can find it', () => {
  const sealed = createSecretBox(key()).seal('x', 't');
  expect(() => createSecretBox(key()).open(sealed, 't')).toThrow(`no longer holds key ${sealed.split('.')[1]}`);
});

test.each(['', 'x', 'v1.x.y', 'v2.00000000.AAAA', 'v1.00000000.', 'v1.00000000.AAAA'])('%j is no sealed secret', (sealed) =>
  expect(() => createSecretBox(key()).open(sealed, 't')).toThrow(SecretBoxError),
);

test.each([
  ['', 'key 1 of 1 is empty'],
  ['short', 'key 1 of 1 has 3 bytes; 32 are needed'],
  [randomBytes(16).toString('base64'), 'key 1 of 1 has 16 bytes; 32 are needed'],
  [randomBytes(33).toString('base64'), 'key 1 of 1 has 33 bytes; 32 are needed'],
  ['*'.repeat(44), 'key 1 of 1 is not base64'],
  [`${key()},`, 'key 2 of 2 is empty'],
  [`${key()},${randomBytes(31).toString('base64')}`, 'key 2 of 2 has 31 bytes; 32 are needed'],
])('SECRETS_KEY %j is refused in words that hold no key', (secretsKey, words) => {
  expect(() => createSecretBox(secretsKey)).toThrow(`SECRETS_KEY: ${words}`);
});

test('the same key twice is a slip that is reported', () => {
  const twice = key();
  expect(() => createSecretBox(`${twice},${twice}`)).toThrow('twice');
});
