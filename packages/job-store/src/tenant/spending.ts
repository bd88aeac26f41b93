import { type Budget, dayOf, monthOf, type SpentRow } from '@grsai-jobs/jobs';
import { pipelined, type Redis } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';

/** Days that are read in one go. */
const AT_ONCE = 100;

const LETTERS: Readonly<Record<string, keyof SpentRow & string>> = {
  j: 'jobs',
  c: 'credits',
  r: 'reserved',
  f: 'refunded',
  p: 'prompt_tokens',
  o: 'completion_tokens',
};

export type Spending = ReturnType<typeof createSpending>;

/** What the paid calls of tenants came to, as the scripts that begin and end them count it (`job/cost.lua`). Kept for 400 days. */
export function createSpending(redis: Redis, keys: Pick<Keys, 'spent'>) {
  return {
    /** A row for each day (since 1970, both included), model and key on which calls of a tenant began. */
    async rows(tenant: string, from: number, to: number): Promise<SpentRow[]> {
      const rows: SpentRow[] = [];
      for (let first = from; first <= to; first += AT_ONCE) {
        const days = Array.from({ length: Math.min(AT_ONCE, to - first + 1) }, (_, n) => first + n);
        const read = await pipelined(redis, days, (pipeline, day) => pipeline.hgetall(`${keys.spent}:${tenant}:${day}`));
        for (const [n, day] of days.entries()) rows.push(...rowsOf(tenant, day, (read[n] ?? {}) as Record<string, string>));
      }
      return rows;
    },

    /** What is charged and reserved of a tenant in the period of a budget that has `now` (ms since 1970) in it. */
    async spent(tenant: string, period: Budget['period'], now: number): Promise<number> {
      const day = dayOf(now);
      if (period === 'day') return Number(await redis.hget(`${keys.spent}:${tenant}:${day}`, '#'));
      return Number(await redis.hget(keys.spent, period === 'month' ? `${tenant} ${monthOf(day)}` : tenant));
    },
  };
}

function rowsOf(tenant: string, day: number, fields: Readonly<Record<string, string>>): SpentRow[] {
  const rows = new Map<string, SpentRow>();
  for (const [field, value] of Object.entries(fields)) {
    const [model = '', key = '', letter = ''] = field.split(' ');
    const name = LETTERS[letter];
    if (name === undefined) continue;
    const row = rows.get(`${model} ${key}`) ?? {
      ...{ tenant, day, model, key: key === '?' ? null : key },
      ...{ jobs: 0, credits: 0, reserved: 0, refunded: 0, prompt_tokens: 0, completion_tokens: 0 },
    };
    rows.set(`${model} ${key}`, { ...row, [name]: Number(value) });
  }
  return [...rows.values()];
}
