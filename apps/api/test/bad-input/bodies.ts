import { gzipSync } from 'node:zlib';
import { goodChat, malformed, type Row, refused } from './row.ts';

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const prompted = (...inside: (string | number[])[]) =>
  bytes('{"type":"image","input":{"model":"nano-banana-2","prompt":"', ...inside, '"}}');

/** Bodies that are no strict JSON, or come in no form that is taken. */
export const BODY_ROWS: readonly Row[] = [
  malformed('cut JSON', '{"type":"image"'),
  malformed('no body', ''),
  malformed('blanks', ' \n\t '),
  malformed('a comment', '{"type":"image" /* or chat */}'),
  malformed('a comma at the end', '{"type":"image",}'),
  malformed('single quotes', "{'type':'image'}"),
  malformed('NaN', '{"expires_in_s":NaN}'),
  malformed('Infinity', '{"expires_in_s":Infinity}'),
  malformed('a leading zero', '{"expires_in_s":0600}'),
  malformed('two values', '{} {}'),
  malformed('undefined', '{"type":undefined}'),
  malformed('a raw line break in a text', '{"type":"ima\nge"}'),
  malformed('a NUL in a text', '{"type":"ima\u0000ge"}'),
  malformed('a key twice', '{"type":"chat","type":"image"}'),
  malformed('a key twice, once escaped', '{"type":"chat","\\u0074ype":"image"}'),
  malformed('a key twice, deep', '{"input":{"messages":[{"role":"user","role":"system"}]}}'),
  malformed('__proto__', '{"__proto__":{}}'),
  malformed('__proto__, escaped', '{"\\u005f_proto__":{}}'),
  malformed('__proto__ in metadata', '{"metadata":{"__proto__":"x"}}'),
  malformed('33 levels', nested(33)),
  malformed('100 000 levels', nested(100_000)),
  malformed('a lone high surrogate', '{"type":"\\ud83d"}'),
  malformed('a lone low surrogate', '{"type":"\\ude00"}'),
  malformed('a lone surrogate as a key', '{"\\ud83d":1}'),
  malformed('a byte that is no UTF-8', prompted([0xff])),
  malformed('an overlong slash', prompted([0xc0, 0xaf])),
  malformed('a surrogate in UTF-8', prompted([0xed, 0xa0, 0x80])),
  malformed('a code point above 10FFFF', prompted([0xf4, 0x90, 0x80, 0x80])),
  malformed('a cut code point', prompted([0xe2, 0x82])),
  malformed('Latin-1', prompted([0xe9])),
  malformed('UTF-16', Buffer.from(JSON.stringify(goodChat()), 'utf16le'), { 'content-type': 'application/json; charset=utf-16' }),
  malformed('a form with the type of JSON', 'type=image'),
  malformed('gzip that is not told', gzipSync(JSON.stringify(goodChat()))),
  refused(400, 'bad_request', 'text that is told to be gzip', { 'content-encoding': 'gzip' }),
  refused(400, 'bad_request', 'text that is told to be br', { 'content-encoding': 'br' }),
  refused(400, 'bad_request', 'text that is told to be zstd', { 'content-encoding': 'zstd' }),
  refused(415, 'unsupported_media_type', 'an unknown encoding', { 'content-encoding': 'zstd-foo' }),
  ...['application/x-www-form-urlencoded', 'text/plain', 'text/json', 'application/jsonp', 'multipart/form-data', 'json'].map(
    (type) => refused(415, 'unsupported_media_type', `the content type ${type}`, { 'content-type': type }),
  ),
  { what: 'more than BODY_LIMIT', status: 413, code: 'body_too_large', body: JSON.stringify({ x: 'y'.repeat(1024 * 1024) }) },
  {
    what: 'more than BODY_LIMIT, packed in 2 KiB',
    status: 413,
    code: 'body_too_large',
    body: gzipSync(' '.repeat(2 * 1024 * 1024)),
    headers: { 'content-encoding': 'gzip' },
  },
];
