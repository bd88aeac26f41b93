import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerQuestions } from '../lib/children.ts';

/**
 * Result files to download and a bucket to put them in, each on a port of its own: the service downloads nothing from its own store. Each file is the same image of 8 MiB. The bucket
 * answers as S3 does, with the MD5 as ETag, and keeps nothing. `expect` starts a count anew, `stored` answers when so
 * many files were put whole.
 */
export type ObjectsQuestion =
  | { readonly ask: 'urls' }
  | { readonly ask: 'expect'; readonly files: number }
  | { readonly ask: 'stored' };

export interface ObjectsUrls {
  readonly files: string;
  readonly bucket: string;
}

export interface ObjectsCount {
  /** From the first download to the answer to the last upload. */
  readonly seconds: number;
  readonly downloads: number;
  readonly uploads: number;
}

export const FILE_BYTES = 8 * 1024 * 1024;

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

/** The head of a PNG of 2048 × 2048; nobody looks further. */
const HEAD = Buffer.from('89504e470d0a1a0a0000000d4948445200000800000008000802000000', 'hex');
const FILE = Buffer.concat([HEAD, Buffer.alloc(FILE_BYTES - HEAD.length, 'results of paid tasks ')]);
/** Hashed once: a server that hashes would be slower than what is measured. */
const FILE_MD5 = md5(FILE);

class Count {
  readonly stored = Promise.withResolvers<ObjectsCount>();
  readonly #files: number;
  #began = 0;
  #downloads = 0;
  #uploads = 0;

  constructor(files: number) {
    this.#files = files;
  }

  download(): void {
    if (this.#downloads === 0) this.#began = performance.now();
    this.#downloads += 1;
  }

  upload(): void {
    this.#uploads += 1;
    if (this.#uploads !== this.#files) return;
    const seconds = (performance.now() - this.#began) / 1000;
    this.stored.resolve({ seconds, downloads: this.#downloads, uploads: this.#uploads });
  }
}

let count = new Count(0);

function send(response: ServerResponse): void {
  count.download();
  response.writeHead(200, { 'content-type': 'image/png', 'content-length': FILE_BYTES }).end(FILE);
}

function take(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  // What a readiness probe puts is small and hashed as it is.
  const small: Buffer[] = [];
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes < 64 * 1024) small.push(chunk);
  });
  request.once('end', () => {
    const whole = bytes === FILE_BYTES;
    response.writeHead(200, { etag: `"${whole ? FILE_MD5 : md5(Buffer.concat(small))}"`, 'content-length': 0 }).end();
    if (whole) count.upload();
  });
}

async function listen(): Promise<string> {
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    if (request.method === 'GET') send(response);
    else if (request.method === 'PUT') take(request, response);
    else response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const urls: ObjectsUrls = { files: await listen(), bucket: await listen() };

answerQuestions(async (question: ObjectsQuestion): Promise<unknown> => {
  if (question.ask === 'urls') return urls;
  if (question.ask === 'stored') return await count.stored.promise;
  count = new Count(question.files);
  return undefined;
});
