/** The circuit breaker of calls and submits: it opens when 8 of the last 10 ended unknown or unreachable (design.md §2.10). */
const WINDOW = 10;
const BAD = 8;

export interface Breaker {
  /** Notes how a call ended; `true` when upstream has to be called down. */
  note(bad: boolean): boolean;
  reset(): void;
}

export function createBreaker(): Breaker {
  let last: boolean[] = [];
  return {
    note(bad) {
      last = [...last, bad].slice(-WINDOW);
      return last.filter(Boolean).length >= BAD;
    },
    reset() {
      last = [];
    },
  };
}
