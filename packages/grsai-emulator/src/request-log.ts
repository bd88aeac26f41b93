import type { RequestEntry } from './bus.ts';

const KEPT = 100_000;

/** The newest requests, oldest first; older ones fall out in halves. */
export class RequestLog {
  readonly entries: RequestEntry[] = [];

  add(entry: RequestEntry): void {
    if (this.entries.length >= KEPT) this.entries.splice(0, KEPT / 2);
    this.entries.push(entry);
  }

  reset(): void {
    this.entries.length = 0;
  }
}
