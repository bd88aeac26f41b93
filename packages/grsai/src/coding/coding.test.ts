import {
  brotliCompressSync,
  constants,
  createGzip,
  deflateRawSync,
  deflateSync,
  gzipSync,
  type InputType,
  zstdCompressSync,
} from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BOMB, ContentCodingError, decode, isCoded, unlessPacked } from './index.ts';

const CODERS: Readonly<Record<string, (bytes: InputType) => Buffer>> = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  GZip: gzipSync,
  deflate: deflateSync,
  Deflate: deflateRawSync,
  br: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  zstd: zstdCompressSync,
  identity: (bytes) => Buffer.from(bytes as Buffer),
};

async function* pieces(bytes: Uint8Array, size: number, log: string[] = []): AsyncGenerator<Uint8Array> {
  try {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  } finally {
    log.push('closed');
  }
}

async function read(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of body) all.push(chunk);
  return Buffer.concat(all);
}

const decoded = (bytes: Uint8Array, header: string | string[], size = bytes.length || 1, maxBytes?: number) =>
  read(decode(pieces(bytes, size), header, maxBytes === undefined ? {} : { maxBytes }));

const problemOf = async (body: Promise<unknown>): Promise<string> =>
  body.then(
    () => 'none',
    (error: unknown) => (error instanceof ContentCodingError ? `${error.problem}: ${error.message}` : String(error)),
  );

const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(5000, 7)]);
const JSON_BODY = Buffer.from(JSON.stringify({ code: 0, data: { id: '4-0000', words: '图'.repeat(300) } }));

describe('decode', () => {
  test('when a body was coded by any chain and is split anywhere, then it is itself again', async () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      fc.constantFrom(PNG, JSON_BODY, Buffer.alloc(0), Buffer.alloc(300_000, 'ab'), Buffer.from('{'), Buffer.from('[]')),
    );
    const chain = fc.array(fc.constantFrom(...Object.keys(CODERS)), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(body, chain, fc.integer({ min: 1, max: 400 }), async (bytes, codings, size) => {
        const wire = codings.reduce<Buffer>((inner, coding) => CODERS[coding]?.(inner) ?? inner, bytes);
        const split = wire.length > 20_000 ? size * 100 : size;
        expect((await decoded(wire, codings.join(', '), split)).equals(bytes)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test.each(['gzip', 'deflate', 'Deflate', 'br', 'zstd'])(
    'when a %s body is cut anywhere, then it is truncated',
    async (coding) => {
      const wire = CODERS[coding]?.(JSON_BODY) ?? Buffer.alloc(0);
      for (let end = 1; end < wire.length; end += 1)
        expect(await problemOf(decoded(wire.subarray(0, end), coding, 50)), `${end} of ${wire.length}`).toMatch(
          /^truncated: .*ends/,
        );
    },
  );

  test.each(['\n', '\0', '\0\0\0\0\0\0', 'xyz', '\x1f', '\x1f\x8b', '\r\n0\r\n\r\n', '<!-- cached -->'])(
    'when %j stands behind a gzip body, then it is passed over',
    async (rest) => {
      const wire = Buffer.concat([gzipSync(PNG), Buffer.from(rest, 'latin1')]);
      for (const size of [1, wire.length - rest.length, wire.length])
        expect((await decoded(wire, 'gzip', size)).equals(PNG)).toBe(true);
    },
  );

  test.each([
    ['gzip', 7],
    ['gzip', 1_000_000],
    ['zstd', 7],
    ['zstd', 1_000_000],
  ] as const)('when %s parts stand one behind another, in chunks of %i, then all are read', async (coding, size) => {
    const wire = Buffer.concat([CODERS[coding]?.(PNG) ?? PNG, CODERS[coding]?.(JSON_BODY) ?? PNG]);
    expect((await decoded(wire, coding, size)).equals(Buffer.concat([PNG, JSON_BODY]))).toBe(true);
  });

  test('when a gzip header has a name, a comment, extra fields and a checksum, then they are passed over', async () => {
    const bare = gzipSync(PNG);
    const head = Buffer.from(bare.subarray(0, 10));
    head[3] = 2 | 4 | 8 | 16;
    const more = Buffer.concat([Buffer.from([3, 0, 1, 2, 3]), Buffer.from('a.png\0of a cat\0'), Buffer.from([9, 9])]);
    const wire = Buffer.concat([head, more, bare.subarray(10)]);
    for (const size of [1, 3, 1000]) expect((await decoded(wire, 'gzip', size)).equals(PNG)).toBe(true);
  });

  test.each(['gzip', 'x-gzip', 'deflate', 'br', 'zstd', 'compress', 'utf-8', 'aws-chunked', 'gzip, gzip'])(
    'when the header says %s and the body is plain, then it is read as it is',
    async (coding) => {
      const bodies = ['{"id":"14-0"}', ' {"a":[]}', '[1]', '{}', 'data: {"id":"1"}\n\n', '<html>no</html>', ''].map((text) =>
        Buffer.from(text),
      );
      for (const body of [...bodies, JSON_BODY, PNG, Buffer.from('\xff\xd8\xff\xe0rest', 'latin1')])
        for (const size of [1, 1000]) expect(String(await decoded(body, coding, size))).toBe(String(body));
    },
  );

  test('when the header names gzip twice and the body was packed once, then it is read', async () => {
    expect((await decoded(gzipSync(PNG), ['gzip', 'gzip'])).equals(PNG)).toBe(true);
  });

  test.each(['', 'identity', ' , ', 'IDENTITY'])('when the header is %j, then the source itself is handed on', (header) => {
    const source = pieces(PNG, 10);
    expect(decode(source, header)).toBe(source);
    expect(isCoded(header)).toBe(false);
  });

  test.each(['gzip', 'br', 'deflate', 'zstd', 'compress', 'gzip, br'])(
    'when a %s body is empty, then it is empty',
    async (coding) => {
      expect(await decoded(Buffer.alloc(0), coding)).toHaveLength(0);
    },
  );

  test.each(['compress', 'x-compress', 'dcb', 'pack200-gzip', '__proto__', 'constructor'])(
    'when a body is coded with %s, then the error names it',
    async (coding) => {
      const junk = Buffer.from([0x1f, 0x9d, 0x90, 1, 2, 3]);
      expect(await problemOf(decoded(junk, coding))).toMatch(new RegExp(`^unknown: .*"${coding}"`));
    },
  );

  test('when there are more codings than three, then the error names them', async () => {
    const wire = [1, 2, 3, 4].reduce<Buffer>((inner) => gzipSync(inner), PNG);
    expect(await problemOf(decoded(wire, 'gzip, gzip, gzip, gzip'))).toMatch(/^unknown: .*"gzip, gzip, gzip, gzip"/);
  });

  test('when the bytes are damaged, then the body is corrupt', async () => {
    const wire = gzipSync(JSON_BODY);
    for (const at of [2, wire.length - 6, wire.length - 1]) {
      const broken = Buffer.from(wire);
      broken[at] = (broken[at] ?? 0) ^ 0x55;
      expect(await problemOf(decoded(broken, 'gzip', 9))).toMatch(/^corrupt: .*gzip/);
    }
    expect(await problemOf(decoded(Buffer.from([1, 2, 3, 4, 5]), 'br'))).toMatch(/^(corrupt|truncated): .*br/);
    expect(await problemOf(decoded(Buffer.from([0xff, 2, 3, 4, 5]), 'deflate'))).toMatch(/^corrupt: .*deflate/);
  });

  test.each(['gzip', 'br', 'zstd', 'deflate'])(
    'when %s blows up a body, then it is refused before much of it was made',
    async (coding) => {
      const wire = CODERS[coding]?.(Buffer.alloc(BOMB.fromBytes * 4)) ?? Buffer.alloc(0);
      let made = 0;
      const bomb = async () => {
        for await (const chunk of decode(pieces(wire, 1 << 20), coding)) made += chunk.byteLength;
      };
      expect(await problemOf(bomb())).toMatch(new RegExp(`^too_large: .*256 times .*${coding}`));
      expect(made).toBeLessThanOrEqual(BOMB.fromBytes);
    },
  );

  test('when a bomb is hidden in another, then the outer one is refused', async () => {
    const inner = gzipSync(PNG);
    const wire = gzipSync(Buffer.concat([inner, Buffer.alloc(BOMB.fromBytes * 3)]));
    expect(await problemOf(decoded(wire, 'gzip, gzip'))).toMatch(/^too_large/);
  });

  test('when a body is larger than its limit without its coding, then it is refused, and one of just the limit passes', async () => {
    expect(await problemOf(decoded(gzipSync(PNG), 'gzip', 100, PNG.length - 1))).toMatch(/^too_large: .*gzip.* 5007 bytes/);
    expect(await decoded(gzipSync(PNG), 'gzip', 100, PNG.length)).toHaveLength(PNG.length);
  });

  test('when a coder flushes an event, then it comes through before the next byte is asked for', async () => {
    const gzip = createGzip();
    const flushed = async (text: string): Promise<Uint8Array> => {
      gzip.write(text);
      await new Promise<void>((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, resolve));
      return gzip.read() as Buffer;
    };
    let asked = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      for (;;) {
        asked += 1;
        yield await flushed(`data: ${asked}\n\n`);
      }
    }
    const body = decode(source(), 'gzip')[Symbol.asyncIterator]();
    for (let n = 1; n <= 5; n += 1) {
      expect(String((await body.next()).value)).toBe(`data: ${n}\n\n`);
      expect(asked).toBe(n);
    }
    await body.return?.();
  });

  test('when a reader leaves early, or the source breaks, then the source is closed and its error comes through', async () => {
    const log: string[] = [];
    for await (const _ of decode(pieces(gzipSync(Buffer.alloc(500_000, 'abc')), 10, log), 'gzip, identity')) break;
    expect(log).toEqual(['closed']);
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield gzipSync(PNG).subarray(0, 20);
      throw new Error('reset');
    }
    expect(await problemOf(read(decode(broken(), 'gzip')))).toBe('Error: reset');
  });
});

describe('a body whose header names no coding', () => {
  test.each([
    ['gzip', gzipSync],
    ['zlib', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
  ])('is unpacked when it is %s all the same, in chunks of any size', async (_, pack: (bytes: Buffer) => Buffer) => {
    for (const size of [1_000_000, 20, 1])
      for (const body of [JSON_BODY, Buffer.from('{"id":"6-a"}'), Buffer.from(': ping\n\ndata: {}\n\n')])
        expect((await read(unlessPacked(pieces(pack(body), size)))).equals(body)).toBe(true);
    expect((await read(unlessPacked(decode(pieces(gzipSync(pack(JSON_BODY)), 9), 'gzip')))).equals(JSON_BODY)).toBe(true);
    expect((await read(unlessPacked(decode(pieces(pack(JSON_BODY), 9), 'gzip')))).equals(JSON_BODY)).toBe(true);
  });

  test('and gzip is known by its first bytes, whatever the header names', async () => {
    for (const coding of ['br', 'deflate', 'zstd', 'utf-8', 'none'])
      for (const size of [1, 50]) expect((await decoded(gzipSync(JSON_BODY), coding, size)).equals(JSON_BODY)).toBe(true);
  });

  test('and text is handed on as it comes, piece by piece', async () => {
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{"id":"6-a"}');
      throw new Error('never read');
    }
    expect(String((await unlessPacked(source()).next()).value)).toBe('{"id":"6-a"}');
  });

  test('is handed on when it is not, and its source is closed when it is left early', async () => {
    for (const body of [JSON_BODY, PNG, Buffer.alloc(0), Buffer.from([0x1f]), Buffer.alloc(5000, 7), gzipSync(PNG).subarray(3)])
      expect((await read(unlessPacked(pieces(body, 7)))).equals(body)).toBe(true);
    const log: string[] = [];
    for await (const _ of unlessPacked(pieces(JSON_BODY, 7, log))) break;
    expect(log).toEqual(['closed']);
  });
});
