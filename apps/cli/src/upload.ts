import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { SendOptions } from './api/client.ts';
import { usage } from './exit.ts';
import type { Host } from './host.ts';

/** What is sent as the body of a request, without ever being whole in memory. */
export interface Upload extends Pick<SendOptions, 'body' | 'headers' | 'repeatable'> {
  /** Bytes of the file; nobody knows how many come from stdin or a pipe. */
  bytes: number | undefined;
}

/** Below this, packing saves nothing that anyone would notice. */
const WORTH_PACKING = 64 * 1024;
const LOOPBACK = /^https?:\/\/(127\.|localhost[:/]|localhost$|\[::1\])/;

/**
 * A file of NDJSON, a pipe, or stdin (`-`). `sent` hears how many of its bytes were taken so far. Only a file can be sent
 * again: what was read from a pipe is gone, and its rest alone would be taken for the whole.
 */
export async function openUpload(
  host: Host,
  file: string,
  o: { url: string; gzip: boolean | undefined; sent: (bytes: number) => void },
): Promise<Upload> {
  const bytes = file === '-' ? undefined : await sizeOf(file);
  const pays = !LOOPBACK.test(o.url) && (bytes === undefined || bytes >= WORTH_PACKING);
  const gzip = o.gzip ?? pays;
  return {
    bytes,
    repeatable: bytes !== undefined,
    headers: { 'content-type': 'application/x-ndjson', ...(gzip ? { 'content-encoding': 'gzip' } : {}) },
    body: () => {
      const counted = Readable.from(counting(file === '-' ? host.stdin : createReadStream(file), o.sent));
      // The error of a source that breaks reaches the reader of the packed stream.
      const stream = gzip ? pipeline(counted, createGzip(), () => undefined) : counted;
      return Readable.toWeb(stream) as ReadableStream<Uint8Array>;
    },
  };
}

async function sizeOf(file: string): Promise<number | undefined> {
  const found = await stat(file).catch((error: Error) => {
    throw usage(`${file} cannot be read: ${error.message}`);
  });
  if (found.isDirectory()) throw usage(`${file} is a folder`);
  return found.isFile() ? found.size : undefined;
}

async function* counting(source: Readable, sent: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += (chunk as Uint8Array).length;
    sent(bytes);
    yield chunk as Uint8Array;
  }
}
