/** A job or batch that was accepted and has not ended, or whose end has not been told. */
export interface Open {
  readonly id: string;
  readonly tenant: string;
  /** A webhook says when it ends; else it is asked for. */
  readonly hook: boolean;
  /** How many jobs it is. */
  readonly jobs: number;
  readonly since: number;
}

/** What callers know of what they have sent. */
export class Books {
  readonly #open = new Map<string, Open>();
  /** Ends that were told before the answer of the request was read. */
  readonly #early = new Set<string>();
  /** Sums since the start. */
  readonly sums = { accepted: 0, ended: 0, told: 0, refused: 0 };
  /** Keys that requests have made and that live for longer than a soak by design. */
  lasting = 0;
  /** Answers by kind of request and status. */
  readonly answers = new Map<string, number>();
  /** Answers that no limit and no fault explains, with what they said. */
  readonly odd: string[] = [];

  get open(): readonly Open[] {
    return [...this.#open.values()];
  }

  get live(): number {
    return this.sums.accepted - this.sums.ended;
  }

  accept(what: Omit<Open, 'since'>): void {
    if (this.#open.has(what.id)) return;
    this.sums.accepted += what.jobs;
    this.#open.set(what.id, { ...what, since: Date.now() });
    if (this.#early.delete(what.id)) this.end(what.id);
  }

  isOpen(id: string): boolean {
    return this.#open.has(id);
  }

  /** Its end was told: by a webhook, or by the answer that somebody waited for. */
  end(id: string): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    this.sums.ended += open.jobs;
  }

  /** A receiver has taken a webhook. */
  hook(id: string): void {
    this.sums.told += 1;
    if (this.#open.has(id)) this.end(id);
    else if (this.#early.size < 10_000) this.#early.add(id);
  }

  answer(kind: string, status: number): void {
    const name = `${kind} ${status === 0 ? 'no answer' : status}`;
    this.answers.set(name, (this.answers.get(name) ?? 0) + 1);
    if (status === 402 || status === 429) this.sums.refused += 1;
  }

  strange(what: string): void {
    if (this.odd.length < 50) this.odd.push(what);
  }
}
