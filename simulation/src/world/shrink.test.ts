import { expect, test } from 'vitest';
import { createRandom } from '../random.ts';
import type { Life } from './live.ts';
import { NO_ODDITIES } from './oddities.ts';
import { type Plan, planOf } from './plan.ts';
import { shrink } from './shrink.ts';

const FAULTS = 40;

/** A life that breaks a promise where `breaks` says so. */
const lifeOf = (plan: Plan, breaks: (plan: Plan) => boolean): Life => ({
  ...{ plan, lines: [], jobs: plan.jobs, lastedMs: plan.forMs, endedAfterMs: 0, steps: 1, faults: new Map(), faultCount: FAULTS },
  violations: breaks(plan) ? [{ at: 1, what: 'broken', about: 'order-3' }] : [],
  allowed: { unknownSubmits: 0, repeatedChats: 0, resubmitted: 0, heldBack: 0 },
});

const PLAN = planOf('long', createRandom('long').fork('plan'), { jobs: 300 });

test('when a promise is broken by two faults and three jobs then nothing else is left of its plan', async () => {
  const breaks = ({ jobs, without }: Plan) => jobs >= 3 && !without.includes(7) && !without.includes(31);
  const { plan } = await shrink(lifeOf(PLAN, breaks), { live: async (each) => lifeOf(each, breaks), forMs: 10_000 });
  expect(plan).toMatchObject({ jobs: 3, batches: [], workers: 1, apis: 1, tenants: 1, lost: 0, cancels: 0, retries: 0 });
  expect(plan.oddities).toEqual(NO_ODDITIES);
  expect(plan.without).toHaveLength(FAULTS - 2);
});

test('when there is no time then the plan stays as it was', async () => {
  const { plan } = await shrink(
    lifeOf(PLAN, () => true),
    { live: async (each) => lifeOf(each, () => true), forMs: 0 },
  );
  expect(plan).toBe(PLAN);
});
