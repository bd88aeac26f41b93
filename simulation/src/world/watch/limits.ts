import type { Peek } from './peek.ts';

/** A process that is frozen or cut off goes by what it has read for so long. */
const OLD_MS = 90_000;

/** Jobs whose answer was lost an API creates again whatever the limit is, as their callers may have been told of them: so many in a life. */
const TOLD_AGAIN = 20;

/** What operators have set for tenants, and since when. */
export class LimitsWatch {
  readonly #maxQueued = new Map<string, { readonly most: number; readonly since: number; over: number }>();
  readonly #peek: Peek;
  readonly #now: () => number;

  constructor(peek: Peek, now: () => number) {
    this.#peek = peek;
    this.#now = now;
  }

  changed(tenant: string): void {
    const limits = JSON.parse(this.#peek.fields(`tenant:${tenant}`).get('limits') ?? '{}') as { max_queued?: number };
    const most = limits.max_queued ?? 0;
    if (most !== this.#maxQueued.get(tenant)?.most) this.#maxQueued.set(tenant, { most, since: this.#now(), over: 0 });
  }

  /** A job was accepted, with which so many of its tenant are queued. */
  accepted(tenant: string, queued: number, said: (what: string) => void): void {
    const limit = this.#maxQueued.get(tenant);
    if (limit === undefined || limit.most === 0 || queued <= limit.most || this.#now() - limit.since <= OLD_MS) return;
    limit.over += 1;
    const { most, over } = limit;
    if (over > TOLD_AGAIN) said(`is one of ${queued} queued of ${tenant}, and ${most} are allowed`);
  }

  /** What stands in Redis now is a new beginning. */
  restart(): void {
    this.#maxQueued.clear();
  }
}
