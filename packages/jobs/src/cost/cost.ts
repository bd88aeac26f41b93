import type { JobRecord } from '../job/job.ts';
import { isTerminal } from '../job/states.ts';
import type { Settlement } from './settlement.ts';

/** What the paid calls of a job have come to, over all of its runs, in whole credits. */
export interface JobCost {
  /** `null`: none was charged yet. */
  readonly charged: number | null;
  /** `null`: none was refunded. */
  readonly refunded: number | null;
  /** Set aside for the call in flight, or for its task, until it is known what became of it; `null`: there is none. */
  readonly open: number | null;
  /** Of calls of which nobody will know it. */
  readonly unknown: number;
  /** Some of what was charged was never named by upstream. */
  readonly isGuess: boolean;
}

export const NO_COST: JobCost = { charged: null, refunded: null, open: null, unknown: 0, isGuess: false };

/** The cost after what became of a call; the same as the scripts write it. */
export function costAfter(cost: JobCost, reserve: number | undefined, settlement: Settlement | undefined): JobCost {
  if (settlement === undefined) return cost;
  if (settlement.as === 'reserved') {
    const before = costAfter(cost, undefined, settlement.before);
    return before.open === null && reserve !== undefined ? { ...before, open: reserve } : before;
  }
  if (cost.open === null) return cost;
  const settled = { ...cost, open: null };
  switch (settlement.as) {
    case 'charged':
      return {
        ...settled,
        charged: (cost.charged ?? 0) + (settlement.credits ?? cost.open),
        isGuess: cost.isGuess || settlement.guess === true,
      };
    case 'refunded':
      return { ...settled, refunded: (cost.refunded ?? 0) + cost.open };
    case 'unknown':
      return { ...settled, unknown: cost.unknown + cost.open };
    case 'released':
      return settled;
  }
}

/**
 * `none`: nothing was paid for. `reserved`: a call is in flight, or its task lives. `unknown`: calls may have been paid for of which nobody
 * knows it. Else what the calls came to.
 */
export const COST_STATES = ['none', 'reserved', 'charged', 'refunded', 'unknown'] as const;
export type CostState = (typeof COST_STATES)[number];

interface Sums {
  charged: number | null;
  refunded: number | null;
  reserved: number;
  isOpen: boolean;
  isGuess: boolean;
}

/** Sums as callers see them. */
export const viewCost = ({ charged, refunded, reserved, isOpen, isGuess }: Sums) => ({
  credits: charged ?? 0,
  reserved,
  state: stateOf({ charged, refunded, reserved, isOpen }),
  estimated: isGuess || reserved > 0,
});

function stateOf({ charged, refunded, reserved, isOpen }: Omit<Sums, 'isGuess'>): CostState {
  if (isOpen) return 'reserved';
  if (reserved > 0) return 'unknown';
  if (charged !== null) return 'charged';
  return refunded === null ? 'none' : 'refunded';
}

/** `null`: the job has no price, so nobody knows what it costs. */
export function viewJobCost({ price, cost, status }: Pick<JobRecord, 'price' | 'cost' | 'status'>) {
  if (price === null) return null;
  const { charged, refunded, open, unknown, isGuess } = cost;
  return viewCost({
    charged,
    refunded,
    reserved: (open ?? 0) + unknown,
    isOpen: open !== null && !isTerminal(status),
    isGuess: isGuess || price.isOld,
  });
}
