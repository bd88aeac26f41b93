import { type Chunk, PieceDecoder, type StreamLine } from '@grsai-jobs/job-store';
import { ShownText } from './shown-text.ts';

/** What a reader of an answer is told. The ids grow, over attempts too. */
export type Told =
  | { readonly kind: 'piece'; readonly id: number; readonly chunk: Chunk }
  /** All before it counts no more. */
  | { readonly kind: 'reset'; readonly id: number; readonly attempt: number };

/** Pieces of one attempt, at most. */
const SPAN = 1_000_000;

/** The id of the n-th thing that is told of an attempt, or of the record as it is in its `attempt`-th version. */
export const toldId = (attempt: number, n: number): number => attempt * SPAN + n;
const attemptOf = (id: number): number => Math.floor(id / SPAN);

/** How far one reader has come in the stream of a job. */
export class StreamReader {
  /** The place of the next line among those that are kept. */
  at = 0;
  /** All of the answer was told, and it is the one that the job ends with. */
  whole = false;
  #attempt = 0;
  #writer = '';
  #next = 1;
  #lost = false;
  #told: number;
  #decoder = new PieceDecoder();
  #shown = new ShownText();

  /** @param after the id of the last thing that it was told, 0: it was told nothing */
  constructor(after: number) {
    this.#told = after;
  }

  /** Whether it was told anything. */
  get begun(): boolean {
    return this.#told > 0;
  }

  /** What was shown, where it is exactly what the reader was told last; else `null`. */
  get shown(): ShownText | null {
    const exact = attemptOf(this.#told) === this.#attempt && this.#told < toldId(this.#attempt, this.#next);
    return exact ? this.#shown : null;
  }

  /** Whether a line follows on what was read, or was read before. */
  fits(line: StreamLine): boolean {
    if (line.attempt !== this.#attempt) return line.attempt < this.#attempt || line.first === 1;
    return this.#lost || line.writer !== this.#writer || line.first <= this.#next;
  }

  /** Takes a line that fits. */
  *take(line: StreamLine): Generator<Told, void> {
    if (line.at >= 0) this.at = line.at + 1;
    if (line.attempt < this.#attempt) return;
    if (line.attempt > this.#attempt) {
      this.#begin(line);
      if (this.begun && attemptOf(this.#told) < line.attempt)
        yield* this.#tell({ kind: 'reset', id: toldId(line.attempt, 0), attempt: line.number });
    }
    // After a failover two attempts may have one number: then the record answers.
    if (line.writer !== this.#writer) this.lose(line);
    if (this.#lost || line.first < this.#next) return;
    for (const chunk of this.#decoder.read(line.pieces)) {
      this.#shown.add(chunk);
      yield* this.#tell({ kind: 'piece', id: toldId(this.#attempt, this.#next++), chunk });
    }
    this.whole = line.whole;
  }

  /** What stands before this line is nowhere to be had. */
  lose(line: StreamLine): void {
    if (line.attempt > this.#attempt) this.#begin(line);
    this.#lost = true;
    this.whole = false;
  }

  #begin({ attempt, writer }: StreamLine): void {
    this.#attempt = attempt;
    this.#writer = writer;
    this.#next = 1;
    this.#lost = false;
    this.whole = false;
    this.#decoder = new PieceDecoder();
    this.#shown = new ShownText();
  }

  /** What it was told before it came back is not told again. */
  *#tell(told: Told): Generator<Told, void> {
    if (told.id <= this.#told) return;
    this.#told = told.id;
    yield told;
  }
}
