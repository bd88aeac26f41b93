import { chunksOf } from './bytes.ts';
import { ConnectionError, GrsaiJobsError } from './errors.ts';
import type { Patience } from './retry-policy.ts';
import { readEventStream, type SseMessage } from './sse.ts';
import type { Stream, Transport } from './transport.ts';

/** How far a stream of events has been read. */
export interface Place {
  /** The id of the last one that is known. */
  seq: number;
  /** It was the last one. */
  ended: boolean;
  /** The stream carried something, be it a comment that keeps it open. */
  heard: boolean;
  /** Why the stream was not opened. */
  refusal: GrsaiJobsError | undefined;
}

export const startAt = (seq: number): Place => ({ seq, ended: false, heard: false, refusal: undefined });

/** Streams in a row that carried nothing, until no more are opened. */
export const FRUITLESS = 3;
/** Before a stream that was cut is opened again. */
export const REOPEN_MS = 500;

/** Where a stream is, and how long it is waited for. */
export interface Source {
  path: string;
  signal: AbortSignal;
  patience?: Patience;
}

const noEvents = (path: string, what: string): ConnectionError =>
  new ConnectionError({
    code: 'no_events',
    detail: `The events of ${path} came as ${what}: does something on the way hold event streams back? jobs.wait goes without them.`,
  });

/**
 * Reads a stream with `once` again and again, each time from `at` on, until its end is known.
 * @param once one stream to its end or until it is cut, as {@link messagesOf} reads it
 */
export async function* untilEnded<T>(
  transport: Transport,
  at: Place,
  { path, signal }: Source,
  once: () => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  for (let fruitless = 0; ; ) {
    yield* once();
    if (at.refusal !== undefined) throw at.refusal;
    if (at.ended) return;
    fruitless = at.heard ? 0 : fruitless + 1;
    if (fruitless === FRUITLESS) throw noEvents(path, 'nothing');
    await transport.sleep(REOPEN_MS * (0.75 + transport.random() / 2), signal);
  }
}

/** The service sends a comment every 15 s; a stream that is silent for longer is dead. */
const SILENT_MS = 45_000;

/** One stream of events from `at` on, to its end or until it is cut; `at` says what came of it. Throws the reason of the signal alone. */
export async function* messagesOf(
  transport: Transport,
  at: Place,
  { path, signal, patience = { retries: 0 } }: Source,
): AsyncGenerator<SseMessage, void, undefined> {
  at.heard = false;
  at.refusal = undefined;
  const stream = await open(transport, at, { path, signal, patience });
  if (stream === undefined) return;
  const { body } = stream.response;
  try {
    if (body !== null) for await (const message of readEventStream(heartbeat(body, stream, at))) yield message;
  } catch {
    signal.throwIfAborted();
  } finally {
    stream.close();
  }
}

async function open(transport: Transport, at: Place, { path, signal, patience }: Required<Source>): Promise<Stream | undefined> {
  const headers = { accept: 'text/event-stream', ...(at.seq === 0 ? {} : { 'last-event-id': String(at.seq) }) };
  try {
    const stream = await transport.stream('GET', path, { signal, headers, patience });
    const type = stream.response.headers.get('content-type') ?? '';
    if (type.startsWith('text/event-stream')) return stream;
    stream.abort(undefined);
    stream.close();
    // 204: the end is known.
    if (stream.response.status === 204) at.ended = true;
    else at.refusal = noEvents(path, type || 'something else');
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof GrsaiJobsError)) throw error;
    at.refusal = error;
  }
  return undefined;
}

/** The chunks of a body; breaks the stream off when one is waited for too long. */
async function* heartbeat(body: ReadableStream<Uint8Array>, stream: Stream, at: Place): AsyncGenerator<Uint8Array> {
  const chunks = chunksOf(body);
  const next = async () => {
    const timer = setTimeout(() => stream.abort(new Error(`silent for ${SILENT_MS / 1000} s`)), SILENT_MS);
    try {
      return await chunks.next();
    } finally {
      clearTimeout(timer);
    }
  };
  try {
    for (let read = await next(); !read.done; read = await next()) {
      at.heard = true;
      yield read.value;
    }
  } finally {
    await chunks.return();
  }
}
