import type { StreamFeed, StreamLine, Streams } from '@grsai-jobs/job-store';
import { isTerminal, type JobRecord } from '@grsai-jobs/jobs';
import type { Timers } from '@grsai-jobs/runtime';
import { anySignal } from 'any-signal';
import type { ReadCompletion } from '../read-completion.ts';
import type { WaitForEnd } from '../wait-for-end.ts';
import { StreamReader, type Told, toldId } from './reader.ts';
import { asOnePiece, type Rest } from './shown-text.ts';

/** What happens in the stream of a job. `end` is the last one, unless nobody waits any more or this process stops. */
export type StreamEvent =
  | Told
  /** `complete`: all of the answer was told, where there is one. It is not when its object cannot be read. */
  | { readonly kind: 'end'; readonly id: number; readonly job: JobRecord; readonly complete: boolean };

interface FollowOptions {
  /** The id of the last event that is known; 0: none is. */
  after: number;
  /** How long to wait for the end of the job. */
  ms: number;
  gone: AbortSignal;
}

/**
 * The answer of a chat while it comes in, each piece once, and the end of its job. Whoever asks for an event waits for no other reader, and holds
 * nothing up: what comes meanwhile is dropped where it becomes too much, and read again.
 */
export type FollowStream = (job: JobRecord, o: FollowOptions) => AsyncGenerator<StreamEvent, void>;

/** What waits in memory for one reader. */
const MOST_WAITING_CHARS = 64 * 1024;
const LINES_AT_ONCE = 64;
const READ_AGAIN_MS = 200;

/** Of what the record says after the end of its job. */
const OF_RECORD = { reset: 0, rest: 1, end: 2 } as const;

/** The id of the last event of an ended job. */
export const lastEventId = ({ ver }: Pick<JobRecord, 'ver'>): number => toldId(ver, OF_RECORD.end);

export function createFollowStream(o: {
  streams: Pick<Streams, 'read'>;
  feed: StreamFeed;
  waitForEnd: WaitForEnd;
  readCompletion: ReadCompletion;
  timers: Pick<Timers, 'after'>;
}): FollowStream {
  async function* follow(job: JobRecord, { after, ms, gone }: FollowOptions): AsyncGenerator<StreamEvent, void> {
    const left = new AbortController();
    const inbox = new Inbox();
    const reader = new StreamReader(after);
    const stop = o.feed.watch(job.id, inbox);
    const noMore = anySignal([gone, left.signal]);
    void o.waitForEnd(job, ms, noMore).then((ended) => inbox.ends(ended));
    try {
      yield* pieces(job.id, reader, inbox);
    } finally {
      stop();
      left.abort();
      noMore.clear();
    }
    const { ended } = inbox;
    if (!gone.aborted && ended !== undefined && isTerminal(ended.status)) yield* end(ended, reader, after);
  }

  /** What comes until the job has ended, or nobody waits for that. */
  async function* pieces(id: string, reader: StreamReader, inbox: Inbox): AsyncGenerator<Told, void> {
    for (;;) {
      const isOver = inbox.ended !== undefined;
      // What was written in front of the end is kept, or nowhere.
      if (isOver && !reader.whole) reader.at = 0;
      if ((inbox.hasMissed() || isOver) && !(yield* load(id, reader))) readAgain(inbox);
      for (let line = inbox.next(); line !== undefined; line = inbox.next()) yield* takeLine(id, reader, inbox, line);
      if (isOver) return;
      await inbox.something();
    }
  }

  async function* takeLine(id: string, reader: StreamReader, inbox: Inbox, line: StreamLine): AsyncGenerator<Told, void> {
    if (!reader.fits(line)) {
      reader.at = 0;
      if (!(yield* load(id, reader))) return readAgain(inbox);
      if (!reader.fits(line)) reader.lose(line);
    }
    yield* reader.take(line);
  }

  /** The connection that reads may come back later than the one that hears what is published. */
  const readAgain = (inbox: Inbox): void => void o.timers.after(READ_AGAIN_MS, () => inbox.missed());

  /** What is kept, from where the reader stands; `false`: Redis could not be read. */
  async function* load(id: string, reader: StreamReader): AsyncGenerator<Told, boolean> {
    for (;;) {
      const lines = await o.streams.read(id, reader.at, LINES_AT_ONCE).catch(() => null);
      if (lines === null) return false;
      for (const line of lines) {
        if (!reader.fits(line)) return true;
        yield* reader.take(line);
      }
      if (lines.length < LINES_AT_ONCE) return true;
    }
  }

  async function* end(job: JobRecord, reader: StreamReader, after: number): AsyncGenerator<StreamEvent, void> {
    const id = (n: keyof typeof OF_RECORD) => toldId(job.ver, OF_RECORD[n]);
    const complete = after >= id('rest') || (yield* rest(job, reader, { isReset: after === id('reset') }));
    if (after < id('end')) yield { kind: 'end', id: id('end'), job, complete };
  }

  /** What of the answer was not told yet; `false`: it cannot be read. */
  async function* rest(job: JobRecord, reader: StreamReader, { isReset }: { isReset: boolean }): AsyncGenerator<Told, boolean> {
    const { output } = job;
    if (job.status !== 'succeeded' || output === null || output.kind === 'images') return true;
    if (reader.whole && reader.shown !== null) return true;
    const found = await o.readCompletion(output);
    if (found.kind !== 'read') return false;
    const { completion } = found;
    const left: Rest = (reader.begun ? reader.shown?.restOf(completion) : undefined) ?? { kind: 'unclear' };
    const [reset, id] = [toldId(job.ver, OF_RECORD.reset), toldId(job.ver, OF_RECORD.rest)];
    if (left.kind === 'rest') yield { kind: 'piece', id, chunk: left.chunk };
    if (left.kind === 'unclear') {
      if (reader.begun && !isReset) yield { kind: 'reset', id: reset, attempt: job.attempts_used };
      yield { kind: 'piece', id, chunk: asOnePiece(completion) };
    }
    return true;
  }

  return follow;
}

/** What has come for one reader, and was not asked for yet. */
class Inbox {
  #lines: StreamLine[] = [];
  #chars = 0;
  #missed = false;
  #ended: JobRecord | undefined;
  #wake: (() => void) | undefined;

  line(line: StreamLine): void {
    if (this.#missed) return;
    if (this.#lines.length > 0 && this.#chars + line.pieces.length > MOST_WAITING_CHARS) {
      this.#lines = [];
      this.#chars = 0;
      this.#missed = true;
    } else {
      this.#lines.push(line);
      this.#chars += line.pieces.length;
    }
    this.#wake?.();
  }

  missed(): void {
    this.#missed = true;
    this.#wake?.();
  }

  ends(job: JobRecord): void {
    this.#ended = job;
    this.#wake?.();
  }

  /** The job when it has ended, or when nobody waits for that any more. */
  get ended(): JobRecord | undefined {
    return this.#ended;
  }

  /** Whether lines are missing; asks once. */
  hasMissed(): boolean {
    const missed = this.#missed;
    this.#missed = false;
    return missed;
  }

  next(): StreamLine | undefined {
    const line = this.#lines.shift();
    this.#chars = line === undefined ? 0 : this.#chars - line.pieces.length;
    return line;
  }

  async something(): Promise<void> {
    if (this.#lines.length > 0 || this.#missed || this.#ended !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
    this.#wake = undefined;
  }
}
