import type { Peek } from './peek.ts';

/** Of ENDPOINT_RULES: what an endpoint has before anything is known of it. */
const FIRST_PERMITS = 5;

/** Deliveries, and the rooms and permits of their endpoints. */
export class WebhooksWatch {
  readonly #open = new Map<string, number>();
  readonly #peek: Peek;
  readonly #now: () => number;
  readonly #broken: (what: string, about: string) => void;

  constructor(peek: Peek, now: () => number, broken: (what: string, about: string) => void) {
    this.#peek = peek;
    this.#now = now;
    this.#broken = broken;
  }

  /** P4: what is to be reported is known, and something is due for it. */
  delivery(id: string): void {
    const state = this.#peek.fields(`delivery:${id}`).get('state');
    const isPending = state === 'pending';
    if ((this.#peek.score('pending:deliveries', id) !== undefined) !== isPending)
      this.#broken(`is ${state} and ${isPending ? 'not ' : ''}among those that are pending`, id);
    const isDue = this.#peek.score('due:deliveries', id) !== undefined;
    if (!isPending && isDue) this.#broken(`is ${state} and due`, id);
    if (isPending && !isDue && !this.#isInRoom(id)) this.#broken('is pending, not due, and in no room', id);
  }

  #isInRoom(id: string): boolean {
    return this.#rooms().some((endpoint) => this.#peek.score(`endpoint:${endpoint}:room`, id) !== undefined);
  }

  /** Endpoints whose room somebody is to look into: each stands there as tenant, host and id. */
  #rooms(): string[] {
    return (this.#peek.set('rooms')?.slice() ?? []).map(({ member }) => member.slice(member.lastIndexOf('/') + 1));
  }

  /** P5: an attempt begins with a permit. */
  attempts(endpoint: string): void {
    const open = this.#peek.set(`endpoint:${endpoint}:attempts`);
    const now = this.#now();
    const count = open === undefined ? 0 : open.size - open.firstFrom(now, true);
    const before = this.#open.get(endpoint) ?? 0;
    this.#open.set(endpoint, count);
    const permits = Math.floor(Number(this.#peek.fields(`endpoint:${endpoint}`).get('permits') ?? FIRST_PERMITS));
    if (count > before && count > permits) this.#broken(`has ${count} attempts open, and ${permits} permits`, endpoint);
  }

  /** Somebody looks after a room in which deliveries wait. */
  room(endpoint: string): void {
    const waits = this.#peek.has(`endpoint:${endpoint}:room`);
    if (waits && !this.#rooms().includes(endpoint)) this.#broken('deliveries wait, and nobody is to look', endpoint);
  }
}
