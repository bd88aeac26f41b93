import { brotliCompressSync, deflateRawSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ANSWER_BYTES, answerText } from './answer-text.ts';

const text = (bytes: Uint8Array | string, contentType?: string, contentEncoding?: string) =>
  answerText(Buffer.from(bytes as Uint8Array), { contentType, contentEncoding });

describe('answerText', () => {
  test.each([
    ['text/html; charset=gbk', 'b7fecef1c6f7b4edcef3', '服务器错误'],
    ['text/html; charset="GB2312"', 'b7fecef1c6f7b4edcef3', '服务器错误'],
    ["application/json;charset='gb18030'", 'b7fecef1c6f7b4edcef3', '服务器错误'],
    ['text/plain; Charset = Big5', 'bff9bb7e', '錯誤'],
    ['text/plain; charset=shift_jis', '834783898145', 'エラ・'],
    ['text/plain; charset=euc-kr', 'bfc0b7f9', '오류'],
    ['text/plain; charset=latin1', '477266dfe9', 'Grfßé'],
    ['text/plain; charset=iso-8859-1', 'fc', 'ü'],
    ['text/plain; charset=utf-16le', '4f006b00', 'Ok'],
    ['text/plain; charset=klingon', 'c3bc', 'ü'],
    ['text/plain; charset=', 'c3bc', 'ü'],
    ['text/plain; charset=replacement', 'c3bc', 'ü'],
    ['text/plain', 'c3bc', 'ü'],
  ])('when an answer is %s, then %s is %s', (contentType, hex, words) => {
    expect(text(Buffer.from(hex, 'hex'), contentType)).toBe(words);
  });

  test('when a page says its character set itself, then that counts', () => {
    const page = Buffer.concat([
      Buffer.from('<html><meta http-equiv="x" content="text/html; charset=gb2312">'),
      Buffer.from('b4edcef3', 'hex'),
    ]);
    expect(text(page, 'text/html')).toMatch(/错误$/);
    expect(text(page)).toMatch(/错误$/);
    expect(text(page, 'text/html; charset=utf-8')).not.toMatch(/错误$/);
  });

  test.each([
    ['efbbbf6f6b', 'text/plain'],
    ['efbbbf6f6b', 'text/plain; charset=gbk'],
    ['fffe6f006b00', 'text/plain'],
    ['feff006f006b', 'text/plain; charset=utf-8'],
  ])('when there is a byte order mark (%s), then it decides and is dropped', (hex, contentType) => {
    expect(text(Buffer.from(hex, 'hex'), contentType)).toBe('ok');
  });

  test('when there are control characters or marks of direction, then they are replaced, line breaks and tabs are not', () => {
    expect(text('a\u001b[31mred\u0000\u0007\tb\r\nc\u007f\u0085\u202eevil\u2066\u200f')).toBe(
      'a\ufffd[31mred\ufffd\ufffd\tb\r\nc\ufffd\ufffd\ufffdevil\ufffd\ufffd',
    );
  });

  test.each([
    ['utf-8', 'ü', 'c3bc', 1024],
    ['gbk', '服', 'b7fe', 682],
    ['utf-16le', 'k', '6b00', 2048],
    ['latin1', 'é', 'e9', 1024],
    ['gb18030', '𠀀', '95328236', 512],
  ])('when an answer in %s is long, then 2 KiB of text are kept, without half a character', (charset, sign, hex, count) => {
    const long = Buffer.from(hex.repeat(5000), 'hex');
    expect(text(long, `text/plain; charset=${charset}`)).toBe(sign.repeat(count));
  });

  test.each([
    ['gzip', gzipSync],
    ['X-GZIP', gzipSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
  ] as const)('when an answer is packed with %s, then its text is read, also when it was cut', async (coding, pack) => {
    const words = 'out of order, Störung 故障\n';
    expect(await text(pack(words), 'text/plain', coding)).toBe(words);
    const long = Buffer.from(Array.from({ length: 30_000 }, (_, at) => 33 + ((Math.imul(at, 2_654_435_761) >>> 13) % 90)));
    expect(await text(pack(long).subarray(0, -8), undefined, coding)).toBe(String(long.subarray(0, ANSWER_BYTES)));
  });

  test('when an answer is packed and in another character set, then both are undone', async () => {
    expect(await text(gzipSync(Buffer.from('b4edcef3', 'hex')), 'text/html; charset=gbk', 'gzip')).toBe('错误');
  });

  test('when an answer says gzip and is plain, or is empty, then it is what it is', async () => {
    expect(await text('{"no":1}', 'application/json', 'gzip')).toBe('{"no":1}');
    expect(answerText(Buffer.alloc(0), { contentType: undefined, contentEncoding: 'gzip' })).toBe('');
  });

  test('when nothing of an answer can be decoded, then it says why', async () => {
    expect(await text(Buffer.from([0x5d, 0, 0, 1]), undefined, 'lzma')).toMatch(/^\(.*"lzma".*\)$/);
    expect(await text(gzipSync('x').fill(7, 10), undefined, 'gzip')).toMatch(/^\(.*gzip.*\)$/);
  });

  test('when a packed answer is a bomb, then no more of it is made than is kept', async () => {
    expect(await text(gzipSync(Buffer.alloc(50_000_000, 'y')), undefined, 'gzip')).toBe('y'.repeat(ANSWER_BYTES));
  });

  test('when an answer is any bytes under any header, then it is text that fits and can be shown', async () => {
    const labels = fc.constantFrom(
      undefined,
      'text/plain; charset=gbk',
      'x; charset=utf-16le',
      'x; charset=iso-2022-jp',
      'text/html',
    );
    const codings = fc.constantFrom(undefined, 'gzip', 'deflate', 'br', 'zstd', 'lzma');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), labels, codings, async (bytes, label, coding) => {
        const said = await text(bytes, label, coding);
        expect(Buffer.byteLength(said)).toBeLessThanOrEqual(ANSWER_BYTES);
        expect(said.isWellFormed()).toBe(true);
        expect(said).not.toMatch(/[^\P{Cc}\t\r\n]/u);
      }),
    );
  });
});
