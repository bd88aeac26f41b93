import { expect, test } from 'vitest';
import { Digest } from './digest.ts';

test('the pieces of a stream hash as the whole does, and asking twice is fine', () => {
  const digest = new Digest({ md5: true });
  digest.update(Buffer.from('hello '));
  digest.update(Buffer.from('world'));
  const both = {
    sha256: 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9',
    md5: '5eb63bbbe01eeed093cb22bb8f5acdc3',
  };
  expect([digest.bytes, digest.finish(), digest.finish()]).toEqual([11, both, both]);
});

test('when no MD5 is asked for then there is none', () => {
  expect(new Digest().finish()).toMatchObject({ sha256: expect.stringMatching(/^e3b0c442/), md5: undefined });
});
