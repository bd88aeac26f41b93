import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Reply } from '../src/answer.ts';
import { Grsai } from '../src/client.ts';
import { DocumentReader } from '../src/documents.ts';
import { GrsaiError } from '../src/errors.ts';
import type { GrsaiOptions, Timeouts } from '../src/options.ts';

export const KEY = 'sk-00112233445566778899aabbccddeeff';

/** An answer as it would have been read from a connection. */
export function replyFrom(status: number, text: string, more: Partial<Reply> = {}): Reply {
  const reader = new DocumentReader();
  const documents = [...reader.feed(text), ...reader.finish()];
  return {
    status,
    shape: reader.shape,
    documents,
    text,
    base: 'http://upstream.test',
    retryAfterMs: undefined,
    cut: undefined,
    lost: 'unknown',
    repeatable: false,
    words: undefined,
    ...more,
  };
}

/** The error a call ends with; fails when it ends well. */
export async function errorOf(call: Promise<unknown>): Promise<GrsaiError> {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('value' in outcome) throw new Error(`expected a failure, got ${JSON.stringify(outcome.value)}`);
  if (!(outcome.error instanceof GrsaiError)) throw outcome.error;
  return outcome.error;
}

export async function drain<T>(items: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export interface TinyServer extends AsyncDisposable {
  readonly url: string;
  /** Requests whose body arrived whole. */
  readonly requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
  /** Connections ever taken. */
  readonly connections: () => number;
}

type Handler = (req: IncomingMessage, res: ServerResponse, body: string) => void;

/** A server that reads each request whole and then answers as told. */
export async function serve(handler: Handler): Promise<TinyServer> {
  const requests: TinyServer['requests'] = [];
  const server = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on('error', () => undefined);
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      const body = Buffer.concat(parts).toString();
      requests.push({ method: req.method ?? '', url: req.url ?? '', headers: req.headers, body });
      handler(req, res, body);
    });
  });
  return { ...(await listening(server)), requests };
}

/** Sends the bytes in pieces, each in a packet of its own as far as the system lets it, and ends. */
export async function drip(res: ServerResponse, bytes: Uint8Array, size: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += size) {
    res.write(bytes.subarray(at, at + size));
    await wait(0);
  }
  res.end();
}

/** Every answer the same, with a length, so that connections can be kept. */
export const answering =
  (status: number, body: string, headers: Record<string, string> = { 'content-type': 'application/json' }): Handler =>
  (_req, res) => {
    res.writeHead(status, headers);
    res.end(body);
  };

export interface RawServer extends AsyncDisposable {
  readonly url: string;
  readonly connections: () => number;
}

/** A server below HTTP: what the wire does is the test's own. */
export async function rawServe(onSocket: (socket: Socket) => void): Promise<RawServer> {
  const server = createNetServer((socket) => {
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  return listening(server);
}

async function listening(server: Server | ReturnType<typeof createNetServer>) {
  const sockets = new Set<Socket>();
  let count = 0;
  server.on('connection', (socket: Socket) => {
    count++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => count,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** An address that refuses connections. */
export async function deadUrl(): Promise<string> {
  const { url, ...server } = await rawServe(() => undefined);
  await server[Symbol.asyncDispose]();
  return url;
}

/** Limits long enough never to pass on a slow machine; a test shortens the one it is about. */
const CALM: Partial<Timeouts> = { connectMs: 20_000, uploadIdleMs: 20_000, submitAnswerMs: 20_000, queryMs: 20_000 };

export const client = (baseUrls: readonly string[], timeouts: Partial<Timeouts> = {}, more: Partial<GrsaiOptions> = {}): Grsai =>
  new Grsai({ apiKey: KEY, baseUrls, timeouts: { ...CALM, ...timeouts }, ...more });

export const TASK = { model: 'nano-banana-2', prompt: 'a paper lighthouse' };
