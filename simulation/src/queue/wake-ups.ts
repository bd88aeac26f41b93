import type { QueueName } from '@grsai-jobs/jobs';
import type { After } from '../redis/client/trip.ts';

/** A consumer, as the one who wakes it knows it. */
interface Sleeper {
  /** Whether it has its connection. */
  reachable(): boolean;
  /** There may be an entry for it. Answers at once; the consumer looks by its own time. */
  wake(): void;
}

/** A look at the queue that is under way. */
interface Look {
  /** Something has come since it began, which its answer may not know. */
  missed: boolean;
}

/** The place of a consumer among those of its queue. */
export interface Place {
  /** It has free slots and nothing to do. */
  rest(): void;
  /** It looks by itself now, or not any more. */
  up(): void;
  /** A slot asks Redis for an entry. */
  begin(): Look;
  /** It has its answer, or gets none. */
  end(look: Look): void;
}

interface Queue {
  /** Those that wait, the longest first. */
  readonly resting: Set<Sleeper>;
  readonly looks: Set<Look>;
  /** Those that were woken at one moment and have not looked yet; of a process that is frozen nobody waits longer. */
  woken: { readonly at: number; readonly who: Set<Sleeper> };
  due: { readonly at: number; readonly callOff: () => void } | null;
}

/**
 * Wakes consumers that wait for entries, in place of the blocking command by which BullMQ waits: one for each simulated Redis, for all
 * processes. It knows no entries, only that there may be some, and wakes as many consumers as there are entries for. Nothing is lost when
 * it wakes the wrong one: consumers look by themselves from time to time.
 */
export class WakeUps {
  readonly #queues = new Map<QueueName, Queue>();
  readonly #now: () => number;
  readonly #after: After;

  /** @param o.after of the world and not of one process, so that a time that is due survives whoever told it. */
  constructor(o: { now: () => number; after: After }) {
    this.#now = o.now;
    this.#after = o.after;
  }

  #queue(name: QueueName): Queue {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = { resting: new Set(), looks: new Set(), woken: { at: 0, who: new Set() }, due: null };
      this.#queues.set(name, queue);
    }
    return queue;
  }

  join(name: QueueName, sleeper: Sleeper): Place {
    const queue = this.#queue(name);
    return {
      rest: () => void queue.resting.add(sleeper),
      up() {
        queue.resting.delete(sleeper);
        queue.woken.who.delete(sleeper);
      },
      begin: () => {
        const look = { missed: false };
        queue.looks.add(look);
        return look;
      },
      end: (look) => void queue.looks.delete(look),
    };
  }

  /** So many entries could be taken now. */
  raise(name: QueueName, ready: number): void {
    if (ready <= 0) return;
    const queue = this.#queue(name);
    const now = this.#now();
    if (queue.woken.at !== now) queue.woken = { at: now, who: new Set() };
    const { resting, woken, looks } = queue;
    for (const sleeper of resting) {
      if (woken.who.size >= ready) break;
      if (!sleeper.reachable()) continue;
      resting.delete(sleeper);
      woken.who.add(sleeper);
      sleeper.wake();
    }
    if (woken.who.size < ready) for (const look of looks) look.missed = true;
  }

  /** An entry is due in `ms`. */
  due(name: QueueName, ms: number): void {
    const queue = this.#queue(name);
    const at = this.#now() + Math.max(1, ms);
    if (queue.due !== null && queue.due.at <= at) return;
    queue.due?.callOff();
    const callOff = this.#after(at - this.#now(), () => {
      queue.due = null;
      this.raise(name, 1);
    });
    queue.due = { at, callOff };
  }
}
