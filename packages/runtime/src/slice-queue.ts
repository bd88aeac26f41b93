/** Long work holds the event loop for so many ms in each of its turns, all of it together. A chat takes some ten turns of each process. */
const SLICE_MS = 1;

/** Long work on what one tenant sent. A loop that may be long asks often. */
export interface Slices {
  /** Whether this turn of the event loop has seen enough long work. */
  over(): boolean;
  /** Waits for a turn in which this work may go on. */
  next(): Promise<void>;
}

/** The text of these pieces. */
export async function textInSlices(pieces: Iterable<string>, slices: Slices): Promise<Buffer> {
  const bytes: Buffer[] = [];
  for (const piece of pieces) {
    bytes.push(Buffer.from(piece));
    if (slices.over()) await slices.next();
  }
  return Buffer.concat(bytes);
}

/** One for a process. Short work never waits: it is over before it asks. */
export interface SliceQueue {
  of(tenant: string): Slices;
}

/**
 * Shares the event loop between all long work of a process and everything else: in each turn of the loop long work has one slice of a
 * ms, whatever the number of requests that want more. Tenants have the slices in turns, and the works of one tenant in the order in which
 * they asked.
 */
export function createSliceQueue(o: { now?: () => number; inNextTurn?: (run: () => void) => void } = {}): SliceQueue {
  const { now = () => performance.now(), inNextTurn = (run) => void setImmediate(run) } = o;
  /** By tenant; the first one has the next slice. */
  const waiting = new Map<string, (() => void)[]>();
  /** When the slice of this turn began; `null`: nobody has asked for one, and no next turn is waited for. */
  let since: number | null = null;

  function begin(): number {
    since = now();
    inNextTurn(turn);
    return since;
  }

  function turn(): void {
    since = null;
    const [first] = waiting;
    if (first === undefined) return;
    const [tenant, works] = first;
    const goOn = works.shift();
    waiting.delete(tenant);
    if (works.length > 0) waiting.set(tenant, works);
    begin();
    goOn?.();
  }

  return {
    of: (tenant) => ({
      over: () => now() - (since ?? begin()) >= SLICE_MS,
      next: () =>
        new Promise((resolve) => {
          if (since === null) begin();
          const own = waiting.get(tenant);
          if (own === undefined) waiting.set(tenant, [resolve]);
          else own.push(resolve);
        }),
    }),
  };
}
