/**
 * A few buffers of one size that the bodies of a process share, made when they are first needed and used again: memory that is new to a process
 * costs more than what is done in it. Whoever finds none waits in turn and not for long, since a host that sends slowly keeps its own.
 */
export class Slabs {
  readonly #bytes: number;
  readonly #patienceMs: number;
  readonly #free: Buffer[] = [];
  readonly #waiting: ((slab: Buffer | null) => void)[] = [];
  /** Those that may still be made. */
  #unmade: number;

  constructor(o: { bytes: number; most: number; patienceMs: number }) {
    this.#bytes = o.bytes;
    this.#unmade = o.most;
    this.#patienceMs = o.patienceMs;
  }

  /** A buffer, which has to be given back or lost; `null`: there was none in time. */
  async take(): Promise<Buffer | null> {
    const slab = this.#next();
    if (slab !== null) return slab;
    const { promise, resolve } = Promise.withResolvers<Buffer | null>();
    this.#waiting.push(resolve);
    const end = setTimeout(() => {
      this.#waiting.splice(this.#waiting.indexOf(resolve), 1);
      resolve(null);
    }, this.#patienceMs);
    const had = await promise;
    clearTimeout(end);
    return had;
  }

  give(slab: Buffer): void {
    this.#free.push(slab);
    this.#letIn();
  }

  /** In the place of `give` where something may still read it: another one is made. */
  lose(): void {
    this.#unmade += 1;
    this.#letIn();
  }

  #next(): Buffer | null {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#unmade === 0) return null;
    this.#unmade -= 1;
    return Buffer.allocUnsafeSlow(this.#bytes);
  }

  #letIn(): void {
    const first = this.#waiting.shift();
    first?.(this.#next());
  }
}
