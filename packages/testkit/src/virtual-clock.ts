/** Time that moves only when a test says so. Has the shape `{ now(): number }` that our packages take as a clock. */
export class VirtualClock {
  #now: number;

  /** @param start milliseconds since the epoch; a fixed default keeps failures repeatable */
  constructor(start: number = Date.UTC(2031, 0, 1)) {
    this.#now = start;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#now;
  }

  /** Moves on by `ms` (never back) and returns the new time. */
  advance(ms: number): number {
    if (!(ms >= 0)) throw new RangeError(`a clock moves forward, not by ${ms} ms`);
    this.#now += ms;
    return this.#now;
  }
}
