import type { Life } from './live.ts';
import { NO_ODDITIES } from './oddities.ts';
import type { Plan } from './plan.ts';

/** Ways to leave something out of a plan, the largest first. */
function* smaller(plan: Plan, last: number): Iterable<Plan> {
  for (const part of [0.25, 0.5, 0.9]) yield { ...plan, forMs: Math.max(1000, Math.floor(plan.forMs * part)) };
  if (plan.batches.length > 0) yield { ...plan, batches: [] };
  if (plan.jobs > 1) {
    yield { ...plan, jobs: 0 };
    yield { ...plan, jobs: Math.ceil(plan.jobs / 8) };
    yield { ...plan, jobs: Math.ceil(plan.jobs / 2) };
    yield { ...plan, jobs: plan.jobs - 1 };
  }
  for (let size = 16; size >= 1; size = Math.floor(size / 2))
    for (let from = 1; from <= last; from += size) {
      const more = Array.from({ length: size }, (_, i) => from + i).filter((n) => n <= last && !plan.without.includes(n));
      if (more.length > 0) yield { ...plan, without: [...plan.without, ...more].sort((a, b) => a - b) };
    }
  yield { ...plan, oddities: NO_ODDITIES };
  for (const name of Object.keys(plan.oddities) as (keyof Plan['oddities'])[])
    yield { ...plan, oddities: { ...plan.oddities, [name]: 0 } };
  yield { ...plan, lost: 0 };
  yield { ...plan, repeated: 0 };
  yield { ...plan, cancels: 0 };
  yield { ...plan, retries: 0 };
  yield { ...plan, operatorEveryMs: 0 };
  yield { ...plan, resends: 0 };
  yield { ...plan, deletes: 0 };
  yield { ...plan, unlike: 0 };
  yield { ...plan, limits: {} };
  yield { ...plan, midnightInMs: null };
  yield { ...plan, mix: { ...plan.mix, fallbacks: 0 } };
  if (plan.workers > 1) yield { ...plan, workers: plan.workers - 1 };
  if (plan.apis > 1) yield { ...plan, apis: 1 };
  if (plan.tenants > 1) yield { ...plan, tenants: 1 };
}

const same = (a: Plan, b: Plan): boolean => JSON.stringify(a) === JSON.stringify(b);

/**
 * The smallest plan found within the time that still breaks a promise. What is left out may have been the cause only by its random numbers,
 * so each step is a life of its own.
 *
 * @param o.live lives a plan.
 * @param o.forMs how long to look, in real time.
 */
export async function shrink(failed: Life, o: { live: (plan: Plan) => Promise<Life>; forMs: number }): Promise<Life> {
  const until = performance.now() + o.forMs;
  let best = failed;
  for (let found = true; found; ) {
    found = false;
    for (const plan of smaller(best.plan, best.faultCount)) {
      if (performance.now() >= until) return best;
      if (same(plan, best.plan)) continue;
      const life = await o.live(plan);
      if (life.violations.length === 0) continue;
      best = life;
      found = true;
      break;
    }
  }
  return best;
}
