/** Something that is to happen. */
interface Event {
  readonly at: number;
  /** Events of one moment happen in the order in which they were made. */
  readonly nth: number;
  /** Events of one lane happen in their order, whoever chooses; those without one as well. */
  readonly lane: unknown;
  /** What it is, for whoever chooses. */
  readonly about: unknown;
  run: (() => void) | null;
}

const before = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.nth < b.nth);

/**
 * Events for which the event loop of Node goes round once. Node runs the promises and ticks of each before the next, as if it had gone round
 * for it alone, but need not ask the system each time whether a socket or a file has something.
 */
const AT_ONCE = 64;

/**
 * Time that moves from event to event. Whatever an event makes happen without waiting (promises, streams) has happened before the next one.
 * The order of events follows from their times and from the order in which they were made, and from nothing else.
 */
export class VirtualTime {
  #now: number;
  #nth = 0;
  /** Chooses which of the events that could be next at one moment is, from 0, by what they are. Without it the first. */
  order: ((ready: readonly unknown[]) => number) | null = null;
  /** A binary heap, the next event first. */
  readonly #events: Event[] = [];

  /** @param start ms since 1970 */
  constructor(start: number) {
    this.#now = start;
  }

  /** How many events have happened. */
  happened = 0;

  /** Ms since 1970. */
  now(): number {
    return this.#now;
  }

  /** Has `run` happen in `ms`. Answers how it is called off. */
  after(ms: number, run: () => void, lane: unknown = null, about: unknown = null): () => void {
    const event: Event = { at: this.#now + Math.max(0, ms), nth: this.#nth++, lane, about, run };
    this.#push(event);
    return () => {
      event.run = null;
    };
  }

  /** When the next event happens; `null`: nothing is to happen any more. */
  next(): number | null {
    for (;;) {
      const [first] = this.#events;
      if (first === undefined) return null;
      if (first.run !== null) return first.at;
      this.#pop();
    }
  }

  /** The next event, and all that follows from it at once. `false`: there was none. */
  async step(): Promise<boolean> {
    const happened = this.#happen();
    if (happened) await this.settled();
    return happened;
  }

  #happen(): boolean {
    const at = this.next();
    if (at === null) return false;
    const event = this.order === null ? this.#pop() : this.#chosen(at, this.order);
    this.#now = Math.max(this.#now, event.at);
    this.happened += 1;
    const run = event.run;
    event.run = null;
    run?.();
    return true;
  }

  /** One of those that could be next: the first of each lane. It stays in the heap, as one that was called off. */
  #chosen(at: number, order: (ready: readonly unknown[]) => number): Event {
    const lanes = new Map<unknown, Event>();
    for (const event of this.#events) {
      if (event.at !== at || event.run === null) continue;
      const first = lanes.get(event.lane);
      if (first === undefined || event.nth < first.nth) lanes.set(event.lane, event);
    }
    const ready = [...lanes.values()].sort((a, b) => a.nth - b.nth);
    return ready[order(ready.map(({ about }) => about))] as Event;
  }

  /** Lets everything happen that waits for no time. */
  settled(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets time pass until `holds`, or until `at`. */
  until(holds: () => boolean, at: number = Number.POSITIVE_INFINITY): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const end = (settle: () => void) => {
        isOver = true;
        settle();
      };
      const turn = () => {
        if (isOver) return;
        try {
          if (holds()) return end(() => resolve(true));
          const next = this.next();
          if (next !== null && next <= at) return void this.#happen();
          if (at !== Number.POSITIVE_INFINITY) this.#now = Math.max(this.#now, at);
          end(() => resolve(holds()));
        } catch (error) {
          end(() => reject(error));
        }
      };
      const begin = () => {
        if (isOver) return;
        for (let n = 0; n < AT_ONCE; n += 1) setImmediate(turn);
        setImmediate(begin);
      };
      begin();
    });
  }

  #push(event: Event): void {
    const heap = this.#events;
    let i = heap.length;
    heap.push(event);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !before(event, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = event;
  }

  #pop(): Event {
    const heap = this.#events;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined) throw new Error('there is no event');
    if (heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      let smaller = heap[child];
      if (smaller === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && before(right, smaller)) {
        child += 1;
        smaller = right;
      }
      if (!before(smaller, last)) break;
      heap[i] = smaller;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}
