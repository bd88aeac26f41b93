import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream';
import {
  type BrotliDecompress,
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
  type Gunzip,
  type Inflate,
  type ZstdDecompress,
} from 'node:zlib';
import { undecodable, unknownEncoding } from './content-encoding.ts';
import { letBodyCome } from './expect-continue.ts';
import { Problem } from './problem.ts';
import { inTime, type Pace, UPLOAD_PACE } from './upload-pace.ts';

const CHUNK_BYTES = 64 * 1024;

/** What a body may be, decoded. */
export interface BodyRules {
  bytes: number;
  /** For a body that is read into memory: above `from` bytes it may be no more than so many times what came. */
  ratio?: { most: number; from: number };
  /** How slowly it may come. */
  pace?: Pace;
}

type Decoder = Gunzip | Inflate | BrotliDecompress | ZstdDecompress;

/** What a decoder keeps of what it gave: 8 MiB is what every zstd decoder takes (RFC 9659). */
const WINDOW_LOG = 23;

const DECODERS: Readonly<Record<string, () => Decoder>> = {
  gzip: () => createGunzip({ chunkSize: CHUNK_BYTES }),
  'x-gzip': () => createGunzip({ chunkSize: CHUNK_BYTES }),
  deflate: () => createInflate({ chunkSize: CHUNK_BYTES }),
  br: () => createBrotliDecompress({ chunkSize: CHUNK_BYTES }),
  zstd: () => createZstdDecompress({ chunkSize: CHUNK_BYTES, params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG } }),
};

const WINDOWS: Readonly<Record<string, number>> = { br: 2 ** 24, zstd: 2 ** WINDOW_LOG };

function decoderOf({ headers }: IncomingMessage): Decoder | null {
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return null;
  const make = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding] : undefined;
  if (make === undefined) throw unknownEncoding();
  return make();
}

/**
 * Bytes through a decoder. Unlike `pipeline` it leaves the socket of the request open when the bytes are junk: it is to be
 * answered on. Decoders end in silence where their format ends: what comes behind that would be lost.
 */
async function* through(request: IncomingMessage, decoder: Decoder, ratio: BodyRules['ratio']): AsyncGenerator<Uint8Array> {
  let taken = 0;
  let given = 0;
  request.on('data', (chunk: Uint8Array) => {
    taken += chunk.length;
  });
  // Also when the connection has broken before: the request itself would not report that any more.
  const forget = finished(request, { writable: false }, (error) => {
    if (error) decoder.destroy(error);
  });
  try {
    for await (const chunk of request.pipe(decoder).iterator({ destroyOnReturn: false })) {
      given += (chunk as Uint8Array).length;
      if (ratio !== undefined && given > ratio.from && given > ratio.most * taken) throw packedTooTightly(ratio);
      yield chunk as Uint8Array;
    }
    if (!request.readableEnded || decoder.bytesWritten !== taken) throw goesOn();
  } finally {
    forget();
    request.unpipe(decoder);
    decoder.destroy();
  }
}

const goesOn = (): Problem => new Problem('bad_request', 'The body goes on behind the end of what its Content-Encoding packs.');

const tooLarge = (limit: number): Problem =>
  new Problem('body_too_large', `The body is limited to ${limit} bytes, decoded. Send large images as URLs.`);

const packedTooTightly = ({ most, from }: NonNullable<BodyRules['ratio']>): Problem =>
  new Problem(
    'body_too_large',
    `A packed body over ${from} bytes may be no more than ${most} times as large as what was sent. Send it without Content-Encoding, or many jobs as a batch of lines.`,
  );

function problemOf(error: unknown, request: IncomingMessage): unknown {
  const code = (error as { code?: unknown }).code;
  const junk = undecodable(code);
  if (junk !== null) return junk;
  if (code === 'ERR_STREAM_PUSH_AFTER_EOF') return goesOn();
  if (!request.complete && !(error instanceof Problem))
    return new Problem('bad_request', 'The connection broke before the end of the body. Nothing was accepted.');
  return error;
}

/** What the decoder of a body holds when it has given so many bytes. */
export function windowBytes({ headers }: IncomingMessage, given: number): number {
  const most = WINDOWS[(headers['content-encoding'] ?? '').trim().toLowerCase()] ?? 64 * 1024;
  return Math.min(given, most);
}

/** The length of a body that is not packed, where its head says it. */
export function plainLength({ headers }: IncomingMessage): number | null {
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const length = headers['content-length'];
  return (encoding === 'identity' || encoding === '') && length !== undefined ? Number(length) : null;
}

/**
 * The decoded bytes of a body as they come, no faster than they are asked for and with at most a few chunks in memory.
 * What is left of a body that nobody wants to read on is thrown away, so that the answer still reaches its sender.
 * @throws Problem 415 for an encoding that we do not read, 413 beyond the limits, 408 for a sender that is too slow, 400 for a body that
 * cannot be decoded or whose connection broke.
 */
export async function* bodyStream(
  request: IncomingMessage,
  response: ServerResponse,
  rules: BodyRules,
): AsyncGenerator<Uint8Array> {
  const decoder = decoderOf(request);
  // Packed, it may be a little longer than what is in it.
  if (Number(request.headers['content-length'] ?? 0) > rules.bytes + (decoder === null ? 0 : CHUNK_BYTES))
    throw tooLarge(rules.bytes);
  letBodyCome(request, response);
  const source = decoder === null ? request.iterator({ destroyOnReturn: false }) : through(request, decoder, rules.ratio);
  let bytes = 0;
  try {
    for await (const chunk of inTime(source, request, rules.pace ?? UPLOAD_PACE)) {
      bytes += chunk.length;
      if (bytes > rules.bytes) throw tooLarge(rules.bytes);
      yield chunk;
    }
  } catch (error) {
    throw problemOf(error, request);
  } finally {
    request.resume();
  }
}
