import { expect, test } from 'vitest';
import { fileType } from './file-type.ts';

test.each<[string | undefined, string]>([
  ['image/png', '\x89PNG\r\n\x1a\n rest'],
  ['image/jpeg', '\xff\xd8\xff\xe0 rest'],
  ['image/webp', 'RIFF\x00\x00\x00\x00WEBPVP8 '],
  ['image/gif', 'GIF89a'],
  ['image/avif', '\x00\x00\x00\x1cftypavif'],
  ['video/mp4', '\x00\x00\x00\x1cftypisom'],
  [undefined, '<html></html>'],
  [undefined, '{"error":"gone"}'],
  [undefined, ''],
])('%s is told by the first bytes', (type, bytes) => {
  expect(fileType(Buffer.from(bytes, 'latin1'))).toBe(type);
});
