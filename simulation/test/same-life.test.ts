import { expect, onTestFinished, test } from 'vitest';
import { createRandom } from '../src/random.ts';
import { live } from '../src/world/live.ts';
import { planOf } from '../src/world/plan.ts';

/** What there was of a life: each step of it, and what stands in Redis at its end. */
async function lived(seed: string): Promise<unknown> {
  let end = '';
  const plan = planOf(seed, createRandom(seed).fork('plan'), { jobs: 60 });
  const { violations, steps, lastedMs } = await live(plan, {
    atEnd: async ({ redis }) => {
      end = redis.fingerprint();
    },
  });
  return { violations, steps, lastedMs, end };
}

/** From now on clocks and random numbers of the machine are others each time. */
function spoilTheMachine(): void {
  const { now } = performance;
  const { now: date } = Date;
  const { random } = Math;
  let ahead = 0;
  const later = () => {
    ahead += 7000;
    return ahead;
  };
  performance.now = () => now.call(performance) + later();
  Date.now = () => date() + later();
  Math.random = () => 0.999;
  onTestFinished(() => {
    performance.now = now;
    Date.now = date;
    Math.random = random;
  });
}

test('when the clocks of the machine run otherwise then one seed gives the same life', { timeout: 60_000 }, async () => {
  const usual = await lived('same-life');
  spoilTheMachine();
  expect(await lived('same-life')).toEqual(usual);
});
