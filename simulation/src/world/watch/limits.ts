import type { Peek } from './peek.ts';

/** A process that is frozen or cut off goes by what it has read for so long. */
const OLD_MS = 90_000;

const TENANT = /^tenant:([^:]+)$/;

/** What operators have set for tenants, and since when. */
export class LimitsWatch {
  readonly #maxQueued = new Map<string, { readonly most: number; readonly since: number }>();
  /** Jobs that have been there. What was forgotten of them may be made again whatever the limit is: somebody was told, or has paid. */
  readonly #known = new Set<string>();
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
  accepted(id: string, tenant: string, queued: number, said: (what: string) => void): void {
    if (this.#known.has(id)) return;
    this.#known.add(id);
    const most = this.#mostOf(tenant);
    if (queued > most) said(`is one of ${queued} queued of ${tenant}, and ${most} are allowed`);
  }

  /** A batch was committed, with which so many jobs of its tenant are queued. */
  committed(tenant: string, queued: number, said: (what: string) => void): void {
    const most = this.#mostOf(tenant);
    if (queued > most) said(`is committed, with which ${queued} of ${tenant} are queued, and ${most} are allowed`);
  }

  /** How many a tenant may have by what every process has heard of. */
  #mostOf(tenant: string): number {
    const limit = this.#maxQueued.get(tenant);
    return limit === undefined || limit.most === 0 || this.#now() - limit.since <= OLD_MS ? Number.POSITIVE_INFINITY : limit.most;
  }

  /** What stands in Redis now is a new beginning: limits may have been forgotten, and processes go by them for a while. */
  restart(): void {
    this.#maxQueued.clear();
    for (const name of this.#peek.names()) {
      const [, tenant] = TENANT.exec(name) ?? [];
      if (tenant !== undefined) this.changed(tenant);
    }
  }
}
