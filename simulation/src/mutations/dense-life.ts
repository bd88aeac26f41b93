import { createRandom } from '../random.ts';
import { NO_ODDITIES } from '../world/oddities.ts';
import { type Plan, planOf } from '../world/plan.ts';

const MIX: Plan['mix'] = {
  ...{ images: 0.5, generations: 0.15, resubmit: 0.3, webhooks: 1, expires: 0.1, large: 0.1, fallbacks: 0.3 },
  ...{ once: 0.1, attempts: 0.2, events: 0.1 },
};

/**
 * What goes wrong in a life, a few things of a kind and often. Where nothing goes wrong on our side, or workers only say again what they have
 * said, nothing may need a repair.
 */
const KINDS: readonly Partial<Plan>[] = [
  { faultEveryMs: 2000, lost: 0.01 },
  { faultEveryMs: 0, lost: 0, repeated: 0, operatorEveryMs: 5000 },
  // What was paid for comes late.
  {
    ...{ faultEveryMs: 8000, lost: 0, only: ['freeze in a call'], workers: 5, forMs: 120_000, cancels: 0.3, retries: 0 },
    mix: { ...MIX, images: 0.8, generations: 0.1, resubmit: 0.1, expires: 0, large: 0 },
  },
  { faultEveryMs: 0, lost: 0, repeated: 0.1, batches: [], limits: {}, maxInFlight: 100, operatorEveryMs: 0 },
  // Whoever has read waits for long before it writes.
  { faultEveryMs: 2000, lost: 0, only: ['freeze'], workers: 4, apis: 3, retries: 0.8, operatorEveryMs: 8000 },
  // What was done is not followed by what should follow.
  { faultEveryMs: 1500, lost: 0.03, only: ['kill workers', 'kill apis', 'cut off', 'terminate a worker'] },
  // What was paid for cannot be written, or stored, or told.
  { faultEveryMs: 3000, lost: 0, only: ['redis is full', 'refuse an answer', 'redis loads', 'restart redis'] },
  { faultEveryMs: 4000, lost: 0, only: ['bucket', 'files'], slots: 'few' },
  { faultEveryMs: 3000, lost: 0, only: ['a receiver'], tenants: 1, slots: 'few', batches: [40, 40, 40], cancels: 0.5 },
  // Whoever was refused did not hear of it.
  {
    ...{
      faultEveryMs: 5000,
      lost: 0.02,
      only: ['restart redis'],
      jobs: 150,
      batches: [],
      forMs: 150_000,
      cancels: 0,
      retries: 0,
    },
    ...{ slots: 'few', limits: { 'tenant-1': { max_queued: 2 }, 'tenant-2': { max_queued: 2 } }, operatorEveryMs: 0 },
  },
  // An answer comes without its end, and whoever asks once more is gone.
  {
    ...{
      faultEveryMs: 2500,
      lost: 0.02,
      only: ['freeze in a call', 'freeze', 'kill workers', 'cut off'],
      workers: 3,
      retries: 0.7,
    },
    mix: { ...MIX, images: 0.05, generations: 0, resubmit: 0, webhooks: 0.3, expires: 0, large: 0, fallbacks: 0 },
    oddities: { ...NO_ODDITIES, unfinished: 0.5, late: 0.3, lost: 0.1, failed: 0.1 },
  },
  // What a tenant may have is never enough, and its jobs have to end all the same.
  {
    ...{ faultEveryMs: 2500, lost: 0.005, only: ['kill workers', 'freeze in a call', 'freeze'], workers: 3, forMs: 60_000 },
    keepsLimits: true,
    mix: { ...MIX, resubmit: 0.8, expires: 1 },
    limits: {
      'tenant-1': { budget: { credits: 2000, period: 'total' } },
      'tenant-2': { max_in_flight: 1, budget: { credits: 5000, period: 'total' } },
    },
  },
  // Tenants want more than they may have, for longer than anybody goes by what was before.
  {
    ...{ faultEveryMs: 0, lost: 0, repeated: 0, forMs: 180_000, retries: 0, operatorEveryMs: 0 },
    limits: {
      'tenant-1': { max_in_flight: 1, max_queued: 3 },
      'tenant-2': { max_in_flight: 2, budget: { credits: 15_000, period: 'total' } },
    },
  },
];

/** A short life in which much meets: it finds as much as a long one, and sooner. */
export function denseLife(seed: string, n: number): Plan {
  const random = createRandom(seed);
  const kind = KINDS[n % KINDS.length];
  const often = 0.1 + 0.2 * random.fork('often').next();
  return {
    ...planOf(seed, random.fork('plan'), { jobs: 50 }),
    ...{ batches: [12, 6], forMs: 45_000, tenants: 2, cancels: 0.2, retries: 0.4, resends: 0.2, operatorEveryMs: 20_000 },
    mix: MIX,
    oddities: {
      ...NO_ODDITIES,
      ...{ notSent: often / 4, lost: often / 4, failed: often / 2, unavailable: often / 6, violation: often / 2 },
      deadly: n % 2 === 0 && kind?.faultEveryMs !== 0 ? 0.02 : 0,
      ...{ taskFailed: often, unfinished: often / 4, slow: often / 2, late: often, long: often / 10, several: often },
    },
    ...kind,
  };
}
