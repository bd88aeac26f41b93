import { type Chunk, type JobStore, MOST_STREAM_BYTES, PieceEncoder } from '@grsai-jobs/job-store';
import type { JobRecord, Submitting } from '@grsai-jobs/jobs';
import type { Logger, Timers } from '@grsai-jobs/runtime';

/** Between two writes of one stream. Where many are open each is written less often. */
const APART_MS = { few: 50, many: 250 } as const;
const MANY = 200;

/**
 * Hands the pieces of an answer to whoever reads them while it comes in. It decides nothing about the job: what cannot be written is dropped, and
 * nobody waits for it.
 */
export interface TokenStream {
  piece(chunk: Chunk): void;
  /** The call is over. `whole`: its answer is that of the job. `ended`: so is the job. */
  close(o: { whole: boolean; ended: boolean }): void;
}

export interface TokenStreams {
  /** The stream of a call that may go out now. */
  open(job: Submitting): TokenStream;
}

interface Deps {
  store: Pick<JobStore, 'streams'>;
  timers: Pick<Timers, 'elapsed' | 'after'>;
  log: Logger;
}

/** For jobs whose caller asked for no stream. */
const NONE: TokenStream = { piece: () => undefined, close: () => undefined };

const asksForStream = ({ doc }: Pick<JobRecord, 'doc'>): boolean => doc.type === 'chat' && doc.input.stream === true;

export function createTokenStreams(d: Deps): TokenStreams {
  let open = 0;
  return {
    open(job) {
      if (!asksForStream(job)) return NONE;
      open += 1;
      return new Writer(d, job, {
        apartMs: () => (open > MANY ? APART_MS.many : APART_MS.few),
        closed: () => {
          open -= 1;
        },
      });
    },
  };
}

class Writer implements TokenStream {
  readonly #d: Deps;
  readonly #job: Submitting;
  readonly #among: { apartMs: () => number; closed: () => void };
  readonly #pieces = new PieceEncoder();
  #first = 1;
  #writing = 0;
  #nextAt = Number.NEGATIVE_INFINITY;
  #endWait: (() => void) | undefined;
  #told = false;
  #state: 'open' | 'lost' | 'closed' = 'open';

  constructor(d: Deps, job: Submitting, among: { apartMs: () => number; closed: () => void }) {
    this.#d = d;
    this.#job = job;
    this.#among = among;
  }

  piece(chunk: Chunk): void {
    if (this.#state !== 'open') return;
    this.#pieces.add(chunk);
    // Redis does not take what waits: whoever reads has the answer from the record.
    if (this.#pieces.chars > MOST_STREAM_BYTES) this.#lose('slow');
    else this.#plan();
  }

  close({ whole, ended }: { whole: boolean; ended: boolean }): void {
    if (this.#state === 'closed') return;
    const { lost, begun } = { lost: this.#state === 'lost', begun: this.#first > 1 || !this.#pieces.empty };
    this.#state = 'closed';
    this.#endWait?.();
    this.#among.closed();
    // Behind those before it and in front of the transition, on one connection.
    if (!lost && begun) this.#write({ whole, ended });
  }

  #plan(): void {
    if (this.#endWait !== undefined || this.#writing > 0 || this.#pieces.empty) return;
    const waitMs = this.#nextAt - this.#d.timers.elapsed();
    if (waitMs <= 0) this.#write({ whole: false, ended: false });
    else
      this.#endWait = this.#d.timers.after(waitMs, () => {
        this.#endWait = undefined;
        this.#write({ whole: false, ended: false });
      });
  }

  #write({ whole, ended }: { whole: boolean; ended: boolean }): void {
    const { id, ver, lease, attempts_used } = this.#job;
    const { pieces, count } = this.#pieces.take();
    const line = { attempt: ver, writer: lease.token, number: attempts_used + 1, first: this.#first, count, whole, pieces };
    this.#first += count;
    this.#writing += 1;
    this.#nextAt = this.#d.timers.elapsed() + this.#among.apartMs();
    void this.#d.store.streams
      .append(id, line, { ended })
      .then(
        (appended) => {
          if (appended === 'stale') this.#lose('stale');
          if (appended === 'published') this.#tell('not all of a stream is kept', 'full');
        },
        (err: unknown) => this.#lose('refused', err),
      )
      .finally(() => {
        this.#writing -= 1;
        if (this.#state === 'open') this.#plan();
      });
  }

  #lose(why: string, err?: unknown): void {
    if (this.#state === 'open') this.#state = 'lost';
    this.#pieces.take();
    this.#endWait?.();
    this.#tell('a stream goes on without its pieces; the record has the answer', why, err);
  }

  #tell(message: string, why: string, err?: unknown): void {
    if (this.#told) return;
    this.#told = true;
    this.#d.log.debug({ event: 'stream.cut', job_id: this.#job.id, why, ...(err === undefined ? {} : { err }) }, message);
  }
}
