import type { Peek } from './peek.ts';

/** A process that is frozen or cut off goes by what it has read for so long. */
const OLD_MS = 90_000;

/** Jobs whose answer was lost an API creates again whatever the limit is: their callers may have been told of them. */
const TOLD_AGAIN = 20;

/** What operators have set for tenants, and since when. */
export class LimitsWatch {
  readonly #maxQueued = new Map<string, { readonly most: number; readonly since: number }>();
  readonly #peek: Peek;
  readonly #now: () => number;

  constructor(peek: Peek, now: () => number) {
    this.#peek = peek;
    this.#now = now;
  }

  changed(tenant: string): void {
    const limits = JSON.parse(this.#peek.fields(`tenant:${tenant}`).get('limits') ?? '{}') as { max_queued?: number };
    const most = limits.max_queued ?? 0;
    if (most !== this.#maxQueued.get(tenant)?.most) this.#maxQueued.set(tenant, { most, since: this.#now() });
  }

  /** A job was accepted, with which so many of its tenant are queued. */
  accepted(tenant: string, queued: number, said: (what: string) => void): void {
    const { most = 0, since = 0 } = this.#maxQueued.get(tenant) ?? {};
    if (most > 0 && queued > most + TOLD_AGAIN && this.#now() - since > OLD_MS)
      said(`is one of ${queued} queued of ${tenant}, and ${most} are allowed`);
  }

  /** What stands in Redis now is a new beginning. */
  restart(): void {
    this.#maxQueued.clear();
  }
}
