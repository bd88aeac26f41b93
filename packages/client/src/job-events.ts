import { chunksOf } from './bytes.ts';
import { type CallOptions, withinStream } from './deadline.ts';
import { ConnectionError, GrsaiJobsError } from './errors.ts';
import { pathOf } from './paths.ts';
import { ENDED } from './results.ts';
import { OUTAGE_MS, type Patience } from './retry-policy.ts';
import { readEventStream } from './sse.ts';
import type { Stream, Transport } from './transport.ts';
import type { JobEvent } from './types.ts';

/** How far the events of a job have been read. */
export interface Place {
  /** The number of the last one that is known. */
  seq: number;
  /** It was the last one of the newest run. */
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

export interface EventsOptions extends CallOptions {
  /** The `seq` of an event that is known; those after it come. */
  after?: number | undefined;
  /** Milliseconds for which the service may be away without a break before it rejects (default 10 min). */
  outageMs?: number | undefined;
}

/** The events of a job, each once, to the end of its newest run. */
export function eventsOfJob(
  transport: Transport,
  id: string,
  { after = 0, outageMs = OUTAGE_MS, ...call }: EventsOptions,
): AsyncGenerator<JobEvent, void, undefined> {
  return withinStream(call, async function* (signal) {
    const at = startAt(after);
    for (let fruitless = 0; ; ) {
      yield* followOnce(transport, id, at, { signal, patience: { outageMs } });
      if (at.refusal !== undefined) throw at.refusal;
      if (at.ended) return;
      fruitless = at.heard ? 0 : fruitless + 1;
      if (fruitless === FRUITLESS) throw noEvents(id, 'nothing');
      await transport.sleep(REOPEN_MS * (0.75 + transport.random() / 2), signal);
    }
  });
}

const noEvents = (id: string, what: string): ConnectionError =>
  new ConnectionError({
    code: 'no_events',
    detail: `The events of ${id} came as ${what}: does something on the way hold event streams back? jobs.wait goes without them.`,
  });

/** The service sends a comment every 15 s; a stream that is silent for longer is dead. */
const SILENT_MS = 45_000;

/**
 * One stream of events from `at` on, to its end or until it is cut; `at` says what came of it. Throws the reason of the signal
 * alone.
 */
export async function* followOnce(
  transport: Transport,
  id: string,
  at: Place,
  { signal, patience = { retries: 0 } }: { signal: AbortSignal; patience?: Patience },
): AsyncGenerator<JobEvent, void, undefined> {
  at.heard = false;
  at.refusal = undefined;
  const stream = await open(transport, id, at, signal, patience);
  if (stream === undefined) return;
  try {
    for await (const event of eventsIn(stream, at)) yield event;
  } catch {
    signal.throwIfAborted();
  } finally {
    stream.close();
  }
}

async function open(
  transport: Transport,
  id: string,
  at: Place,
  signal: AbortSignal,
  patience: Patience,
): Promise<Stream | undefined> {
  const headers = { accept: 'text/event-stream', ...(at.seq === 0 ? {} : { 'last-event-id': String(at.seq) }) };
  try {
    const stream = await transport.stream('GET', `${pathOf('jobs', id)}/events`, { signal, headers, patience });
    const type = stream.response.headers.get('content-type') ?? '';
    if (type.startsWith('text/event-stream')) return stream;
    stream.abort(undefined);
    stream.close();
    // 204: the end is known.
    if (stream.response.status === 204) at.ended = true;
    else at.refusal = noEvents(id, type || 'something else');
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof GrsaiJobsError)) throw error;
    at.refusal = error;
  }
  return undefined;
}

async function* eventsIn(stream: Stream, at: Place): AsyncGenerator<JobEvent, void, undefined> {
  const { body } = stream.response;
  if (body === null) return;
  for await (const { data } of readEventStream(heartbeat(body, stream, at))) {
    const event = JSON.parse(data) as JobEvent;
    if (event.seq <= at.seq) continue;
    at.seq = event.seq;
    at.ended = ENDED.has(event.status);
    yield event;
  }
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
