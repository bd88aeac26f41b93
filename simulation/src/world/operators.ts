import { BULK_OPERATION, type BulkOrder } from '@grsai-jobs/job-store';
import { QUEUES, type TenantLimits } from '@grsai-jobs/jobs';
import type { Random } from '../random.ts';
import { createAsking } from './asking.ts';
import type { World } from './world.ts';

const CAN_PAUSE = QUEUES.filter((name) => name !== 'maintain');

/** What each bulk action is about when nobody says more. */
const ABOUT = {
  cancel: ['queued', 'running'],
  requeue: ['failed', 'expired'],
  redeliver: ['succeeded', 'failed', 'canceled', 'expired'],
} as const;

/** Operators do what operators do, one thing after another, until they are told to stop; then they put all settings back. */
export function createOperators(world: World) {
  const { plan, time } = world;
  const random = world.random.fork('operators');
  const ask = createAsking(world, random);
  let isOver = false;
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  let nth = 0;

  async function pause(own: Random): Promise<void> {
    const queue = own.pick(CAN_PAUSE);
    const change = (to: { paused?: string | null; concurrency?: number | null }) =>
      ask.until('operator', async (_use, api) => {
        await api.store.queueSettings.change(queue, to);
        return true;
      });
    const isSlow = own.chance(0.3);
    world.story('operator', isSlow ? `lets ${queue} do one at a time` : `pauses ${queue}`);
    await change(isSlow ? { concurrency: 1 } : { paused: 'operator: to see what happens' });
    const until = time.now() + own.whole(1000, 60_000);
    while (!isOver && time.now() < until) await ask.wait(Math.min(1000, until - time.now()));
    await change(isSlow ? { concurrency: null } : { paused: null });
    world.story('operator', `leaves ${queue} as it was`);
  }

  const setLimits = (tenant: string, limits: TenantLimits) =>
    ask.until('operator', async (_use, api) => {
      await api.store.tenantLimits.replace(tenant, limits);
      return true;
    });

  /** A tenant may have less than it wants for a while. */
  async function limit(own: Random): Promise<void> {
    const tenant = `tenant-${own.whole(1, plan.tenants)}`;
    const limits: TenantLimits = own.pick([
      { budget: { credits: own.pick([1, 3000, 20_000]), period: own.pick(['day', 'total'] as const) } },
      { max_queued: own.pick([1, 20]) },
      { max_in_flight: own.pick([1, 3]) },
    ]);
    world.story('operator', `limits ${tenant}`, { limits });
    await setLimits(tenant, limits);
    const until = time.now() + own.whole(1000, 60_000);
    while (!isOver && time.now() < until) await ask.wait(Math.min(1000, until - time.now()));
    await setLimits(tenant, isOver && !plan.keepsLimits ? {} : (plan.limits[tenant] ?? {}));
    world.story('operator', `lifts the limits of ${tenant}`);
  }

  async function bulk(own: Random): Promise<void> {
    const action = own.pick(['cancel', 'requeue', 'requeue', 'redeliver'] as const);
    const tenant = `tenant-${own.whole(1, plan.tenants)}`;
    nth += 1;
    const id = `bulk_${String(nth).padStart(26, '0')}`;
    const order: BulkOrder = {
      ...{ action, select: { tenant, filter: { status: [...ABOUT[action]] } }, before: Math.floor(time.now()) },
      ...{ rate_per_min: own.pick([60, 6000]), include_unknown: false, reason: 'to see what happens' },
      ...{ key_id: 'key', key_name: 'operator', fingerprint: id },
    };
    await ask.until('operator', async (use, api) => {
      await api.store.operations.add({ kind: BULK_OPERATION, subject: id, order: { id }, at: Math.floor(time.now()) });
      await api.store.bulk.create(id, order, Math.floor(time.now()));
      use.nudge();
      return true;
    });
    world.story('operator', `has all jobs of ${tenant} acted on`, { action });
  }

  /** Limits tenants as the plan says, and acts. Resolves when all settings are as they were. */
  async function work(): Promise<void> {
    const limited = Object.entries(plan.limits);
    for (const [tenant, limits] of limited) await setLimits(tenant, limits);
    await act();
    await stopped;
    if (plan.operatorEveryMs > 0) await putBack();
    if (!plan.keepsLimits) for (const [tenant] of limited) await setLimits(tenant, {});
  }

  /** What an API was told before it froze it does when it goes on, however long ago somebody else has done it, and taken it back. */
  async function putBack(): Promise<void> {
    await ask.wait(5000);
    for (const queue of CAN_PAUSE)
      await ask.until('operator', async (_use, api) => {
        await api.store.queueSettings.change(queue, { paused: null, concurrency: null });
        return true;
      });
    for (let n = 1; n <= plan.tenants; n += 1)
      await setLimits(`tenant-${n}`, plan.keepsLimits ? (plan.limits[`tenant-${n}`] ?? {}) : {});
  }

  /** Acts one after another, until it is over. */
  async function act(): Promise<void> {
    for (let n = 1; plan.operatorEveryMs > 0; n += 1) {
      const own = random.fork(`act-${n}`);
      const at = time.now() + own.whole(plan.operatorEveryMs / 4, plan.operatorEveryMs * 2);
      while (!isOver && time.now() < at) await ask.wait(Math.min(1000, at - time.now()));
      if (isOver) return;
      const next = own.chance(0.5) ? pause : own.chance(0.4) ? limit : bulk;
      await next(own);
    }
  }

  return {
    work,
    stop: () => {
      isOver = true;
      stop();
    },
  };
}
