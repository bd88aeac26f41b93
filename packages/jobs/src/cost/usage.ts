/** What calls of one tenant, model and API key that began on one day came to. */
export interface SpentRow {
  readonly tenant: string;
  /** Days since 1970, UTC. */
  readonly day: number;
  readonly model: string;
  /** `null`: not known. */
  readonly key: string | null;
  /** Jobs whose first call began. */
  readonly jobs: number;
  readonly credits: number;
  readonly reserved: number;
  readonly refunded: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
}

const DAY_MS = 24 * 3600_000;

/** How many days the counters are kept. */
export const SPENT_DAYS = 400;

export const dayOf = (at: number): number => Math.floor(at / DAY_MS);
export const dateOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

/** Months of the calendar since the year 0, of a day since 1970. */
export function monthOf(day: number): number {
  const date = new Date(day * DAY_MS);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** When the period that has `now` in it is over; `null`: never. */
export function endOfPeriod(period: 'day' | 'month' | 'total', now: number): number | null {
  if (period === 'total') return null;
  if (period === 'day') return (dayOf(now) + 1) * DAY_MS;
  const date = new Date(now);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

export const USAGE_GROUPS = ['day', 'model', 'key', 'tenant'] as const;
export type UsageGroup = (typeof USAGE_GROUPS)[number];

const SUMS = ['jobs', 'credits', 'reserved', 'refunded', 'prompt_tokens', 'completion_tokens'] as const;

export type UsageRow = Pick<SpentRow, (typeof SUMS)[number]> & {
  day: string | null;
  model: string | null;
  key: string | null;
  tenant: string | null;
};

/** Sums by what is asked for, in order; what is not grouped by is `null` in each row. */
export function usageBy(rows: readonly SpentRow[], groups: readonly UsageGroup[]): UsageRow[] {
  const sums = new Map<string, UsageRow>();
  for (const row of rows) {
    const of = {
      day: groups.includes('day') ? dateOf(row.day) : null,
      tenant: groups.includes('tenant') ? row.tenant : null,
      model: groups.includes('model') ? row.model : null,
      key: groups.includes('key') ? row.key : null,
    };
    const name = JSON.stringify(Object.values(of));
    const sum = sums.get(name);
    if (sum === undefined) sums.set(name, { ...of, ...sumsOf(row) });
    else for (const field of SUMS) (sum as Record<(typeof SUMS)[number], number>)[field] += row[field];
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

const sumsOf = ({ jobs, credits, reserved, refunded, prompt_tokens, completion_tokens }: SpentRow) => ({
  ...{ jobs, credits, reserved, refunded, prompt_tokens, completion_tokens },
});
