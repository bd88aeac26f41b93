import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream';
import { type BrotliDecompress, createBrotliDecompress, createGunzip, createInflate, type Gunzip, type Inflate } from 'node:zlib';
import { undecodable, unknownEncoding } from './content-encoding.ts';
import { letBodyCome } from './expect-continue.ts';
import { Problem } from './problem.ts';

const CHUNK_BYTES = 64 * 1024;

type Decoder = Gunzip | Inflate | BrotliDecompress;

const DECODERS: Readonly<Record<string, () => Decoder>> = {
  gzip: () => createGunzip({ chunkSize: CHUNK_BYTES }),
  'x-gzip': () => createGunzip({ chunkSize: CHUNK_BYTES }),
  deflate: () => createInflate({ chunkSize: CHUNK_BYTES }),
  br: () => createBrotliDecompress({ chunkSize: CHUNK_BYTES }),
};

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
async function* through(request: IncomingMessage, decoder: Decoder): AsyncGenerator<Uint8Array> {
  let taken = 0;
  request.on('data', (chunk: Uint8Array) => {
    taken += chunk.length;
  });
  // Also when the connection has broken before: the request itself would not tell of that any more.
  const forget = finished(request, { writable: false }, (error) => {
    if (error) decoder.destroy(error);
  });
  try {
    yield* request.pipe(decoder).iterator({ destroyOnReturn: false });
    if (!request.readableEnded || decoder.bytesWritten !== taken) throw goesOn();
  } finally {
    forget();
    request.unpipe(decoder);
    decoder.destroy();
  }
}

const goesOn = (): Problem => new Problem('bad_request', 'The body goes on behind the end of what its Content-Encoding packs.');

const tooLarge = (limit: number): Problem => new Problem('body_too_large', `The body is limited to ${limit} bytes, decoded.`);

function problemOf(error: unknown, request: IncomingMessage): unknown {
  const code = (error as { code?: unknown }).code;
  const junk = undecodable(code);
  if (junk !== null) return junk;
  if (code === 'ERR_STREAM_PUSH_AFTER_EOF') return goesOn();
  if (!request.complete && !(error instanceof Problem))
    return new Problem('bad_request', 'The connection broke before the end of the body. Nothing was accepted.');
  return error;
}

/**
 * The decoded bytes of a body as they come, no faster than they are asked for and with at most a few chunks in memory.
 * What is left of a body that nobody wants to read on is thrown away, so that the answer still reaches its sender.
 * @throws Problem 415 for an encoding that we do not read, 413 beyond `limitBytes` of decoded bytes, 400 for a body that
 * cannot be decoded or whose connection broke.
 */
export async function* bodyStream(
  request: IncomingMessage,
  response: ServerResponse,
  limitBytes: number,
): AsyncGenerator<Uint8Array> {
  const decoder = decoderOf(request);
  if (decoder === null && Number(request.headers['content-length'] ?? 0) > limitBytes) throw tooLarge(limitBytes);
  letBodyCome(request, response);
  const source = decoder === null ? request.iterator({ destroyOnReturn: false }) : through(request, decoder);
  let bytes = 0;
  try {
    for await (const chunk of source) {
      bytes += (chunk as Uint8Array).length;
      if (bytes > limitBytes) throw tooLarge(limitBytes);
      yield chunk as Uint8Array;
    }
  } catch (error) {
    throw problemOf(error, request);
  } finally {
    request.resume();
  }
}
