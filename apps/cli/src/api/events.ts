import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { Host } from '../host.ts';
import { type Api, reasonOf } from './client.ts';
import { PATIENT_TRIES } from './retry-policy.ts';

/** One thing that happened to a job. */
export interface JobEvent {
  job_id: string;
  /** Rises; what to send as `Last-Event-ID` to go on from here. */
  seq: number;
  type: string;
  status: string;
  stage: string | null;
  run: number;
  progress: number;
  timestamp: string;
}

const TERMINAL: ReadonlySet<string> = new Set(['succeeded', 'failed', 'canceled', 'expired']);

export interface FollowOptions {
  /** Events up to this `seq` are known already. */
  after?: number;
  /** Ends the following beside Ctrl-C. */
  signal: AbortSignal;
  note: (line: string) => void;
  /** A stream that is silent for longer is taken for dead; the service sends a comment every 15 s. */
  silentMs?: number;
}

const PAUSE_MS = 1000;
const SILENT_MS = 45_000;

/**
 * The events of a job, each once, to the end of its newest run. A stream that breaks is opened again where it stopped
 * (`Last-Event-ID`).
 */
export async function* followEvents(host: Host, api: Api, jobId: string, o: FollowOptions): AsyncGenerator<JobEvent> {
  let last = o.after ?? 0;
  let over = false;
  for (;;) {
    const broken = new AbortController();
    const response = await api.send('GET', `/v1/jobs/${encodeURIComponent(jobId)}/events`, {
      headers: { accept: 'text/event-stream', ...(last === 0 ? {} : { 'last-event-id': String(last) }) },
      signal: AbortSignal.any([o.signal, broken.signal]),
      tries: PATIENT_TRIES,
    });
    // 204: the end is known to us.
    if (response.status === 204 || response.body === null) return;
    try {
      for await (const event of messages(response.body, broken, o.silentMs ?? SILENT_MS)) {
        if (event.seq <= last) continue;
        last = event.seq;
        over = TERMINAL.has(event.status);
        yield event;
      }
      // The service closes the stream after the end of the newest run, and when it stops itself.
      if (over) return;
      o.note('The stream of events was closed; it goes on from the last one.');
    } catch (error) {
      host.interrupt.throwIfAborted();
      o.signal.throwIfAborted();
      o.note(`The stream of events broke (${reasonOf(error)}); it goes on from the last one.`);
    }
    await host.sleep(PAUSE_MS, o.signal);
  }
}

/** Reads one stream; aborts `broken` when nothing came for too long. */
async function* messages(body: ReadableStream<Uint8Array>, broken: AbortController, silentMs: number): AsyncGenerator<JobEvent> {
  const read: JobEvent[] = [];
  const parser = createParser({ onEvent: (message: EventSourceMessage) => void read.push(JSON.parse(message.data) as JobEvent) });
  const decoder = new TextDecoder();
  const watch = () => setTimeout(() => broken.abort(new Error(`silent for ${silentMs / 1000} s`)), silentMs);
  let timer = watch();
  try {
    for await (const chunk of body) {
      clearTimeout(timer);
      timer = watch();
      parser.feed(decoder.decode(chunk, { stream: true }));
      yield* read.splice(0);
    }
  } finally {
    clearTimeout(timer);
  }
}
