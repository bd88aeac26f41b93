/** This part of a worker's slots is for tenants that have none yet. */
const KEPT_FREE = 0.1;
/** What a tenant may have to begin with, and again after an attempt that was slow. */
const AT_FIRST = 0.2;
const AT_LEAST = 5;
/** An attempt that takes longer is slow. */
const SLOW_MS = 1000;
/** A tenant beyond these that has nothing open is forgotten, and begins with what it had at first. */
const KNOWN_TENANTS = 10_000;

/** The right to make one webhook attempt in this process. It has to be left; leaving twice is harmless. */
export interface Slot {
  readonly tenant: string;
  /** How long an attempt took: a slow one takes the share of its tenant back to what it was at first. */
  took(ms: number): void;
  /** Whether the next attempt of the same tenant may have this slot too. */
  mayKeep(): boolean;
  /** Another one in its stead, for whoever comes next; this one is left. */
  handOn(): Slot;
  leave(): void;
}

export interface Slots {
  /** A slot at once, or `null`: all are taken, somebody waits for one, or the tenant has its share. */
  tryTake(tenant: string): Slot | null;
  /** Waits while all slots are taken; `null`: the tenant has its share, and may come again later. */
  take(tenant: string): Promise<Slot | null>;
  /** Slots that are taken. */
  taken(): number;
}

const shared = (all: number): number => all - Math.ceil(all * KEPT_FREE);

/**
 * What one tenant may have of `all` slots, where `others` have attempts of their own open or wait for a slot. A newcomer is counted
 * with them, so that there is something left for it.
 */
export function shareOf(all: number, others: number, quick: number): number {
  const most = others === 0 ? shared(all) : Math.floor(all / (others + 2));
  const atFirst = Math.max(AT_LEAST, Math.floor(all * AT_FIRST));
  return Math.max(1, Math.min(most, atFirst + quick));
}

interface Waiting {
  tenant: string;
  resolve: (slot: Slot | null) => void;
}

interface Tenant {
  open: number;
  /** Quick attempts since the last slow one, at most as many as there are slots. */
  quick: number;
}

/**
 * The slots of one worker for webhook attempts, whoever makes them: one that came up in the queue, one that follows another, or the first
 * one of a job that has just ended. No tenant's hanging receivers can have them all.
 *
 * @param all asked each time, since operators change how many there are.
 */
export function createSlots(all: () => number): Slots {
  const tenants = new Map<string, Tenant>();
  const waiting: Waiting[] = [];
  let taken = 0;

  const stateOf = (tenant: string): Tenant => tenants.get(tenant) ?? { open: 0, quick: 0 };

  function othersThan(tenant: string): number {
    const others = new Set(waiting.map((each) => each.tenant));
    for (const [name, { open }] of tenants) if (open > 0) others.add(name);
    others.delete(tenant);
    return others.size;
  }

  const hasShare = (tenant: string): boolean => {
    const { open, quick } = stateOf(tenant);
    return open > 0 && (taken >= shared(all()) || open >= shareOf(all(), othersThan(tenant), quick));
  };

  function give(tenant: string): Slot {
    const state = stateOf(tenant);
    state.open += 1;
    tenants.set(tenant, state);
    taken += 1;
    return placeOf(tenant, state);
  }

  function placeOf(tenant: string, state: Tenant): Slot {
    let left = false;
    return {
      tenant,
      took: (ms) => {
        state.quick = ms < SLOW_MS ? Math.min(all(), state.quick + 1) : 0;
      },
      // Its own slot counts in what the tenant has.
      mayKeep: () => taken <= all() && state.open <= shareOf(all(), othersThan(tenant), state.quick) && waiting.length === 0,
      handOn: () => {
        if (left) throw new Error('a slot that was left cannot be handed on');
        left = true;
        return placeOf(tenant, state);
      },
      leave: () => {
        if (left) return;
        left = true;
        taken -= 1;
        state.open -= 1;
        if (state.open === 0 && (state.quick === 0 || tenants.size > KNOWN_TENANTS)) tenants.delete(tenant);
        letIn();
      },
    };
  }

  function letIn(): void {
    while (taken < all()) {
      const next = waiting.shift();
      if (next === undefined) return;
      next.resolve(hasShare(next.tenant) ? null : give(next.tenant));
    }
  }

  return {
    tryTake: (tenant) => (taken >= all() || waiting.length > 0 || hasShare(tenant) ? null : give(tenant)),
    take: async (tenant) => {
      if (hasShare(tenant)) return null;
      if (taken < all() && waiting.length === 0) return give(tenant);
      return await new Promise((resolve) => waiting.push({ tenant, resolve }));
    },
    taken: () => taken,
  };
}
