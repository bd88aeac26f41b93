import { expect, test } from 'vitest';
import { fileType } from './file-type.ts';

test.each<[string | undefined, string]>([
  ['image/png', '\x89PNG\r\n\x1a\n rest'],
  ['image/jpeg', '\xff\xd8\xff\xe0 rest'],
  ['image/webp', 'RIFF\x00\x00\x00\x00WEBPVP8 '],
  ['image/gif', 'GIF89a'],
  ['image/avif', '\x00\x00\x00\x1cftypavif'],
  ['video/mp4', '\x00\x00\x00\x1cftypisom'],
  ['video/quicktime', '\x00\x00\x00\x14ftypqt  '],
  ['image/heic', '\x00\x00\x00\x1cftypheic'],
  ['image/heif', '\x00\x00\x00\x1cftypmif1'],
  ['image/jxl', '\xff\x0a\xfa'],
  ['image/jxl', '\x00\x00\x00\x0cJXL \r\n\x87\n'],
  ['image/tiff', 'II*\x00'],
  ['image/tiff', 'MM\x00*'],
  ['image/bmp', 'BM\x01\x02\x03\x04\x00\x00\x00\x00\x36'],
  ['video/webm', '\x1a\x45\xdf\xa3'],
  ['image/svg+xml', '\xef\xbb\xbf <?xml version="1.0"?><!-- <html> --><!DOCTYPE svg><svg width="1">'],
  ['image/heif', '\x00\x00\x00\x1cftypmiaf'],
  ['image/svg+xml', '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "x" "y.dtd" [ <!ENTITY a "b"> <!ENTITY c "d"> ]><svg width="1">'],
  ['image/svg+xml', '<!-- a > b --><?x-style href="a>b"?><!-- c --><!doctype svg><svg:svg>'],
  [undefined, '<!DOCTYPE svg [ <!ENTITY a "b">'],
  [undefined, '<!DOCTYPE html><svg/>'],
  [undefined, '<!-- <svg/> --><html><svg/></html>'],
  [undefined, '<?xml version="1.0"?><Error><svg/></Error>'],
  [undefined, 'BMW is a car'],
  [undefined, '<html></html>'],
  [undefined, '{"error":"gone"}'],
  [undefined, ''],
])('%s is known by the first bytes', (type, bytes) => {
  expect(fileType(Buffer.from(bytes, 'latin1'))).toBe(type);
});
