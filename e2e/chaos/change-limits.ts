import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@grsai-jobs/testkit';
import { TENANTS, type Tenant } from './tenants.ts';
import type { World } from './world.ts';

/** What an operator has set; it holds from its answer on, and may hold from the moment that it was asked for. */
export interface LimitChange {
  readonly tenant: Tenant;
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly limits: { readonly budget?: { readonly credits: number; readonly period: 'total' } } & Readonly<
    Record<string, unknown>
  >;
}

const TIGHT = { max_in_flight: 2, max_queued: 3, requests_per_minute: 20 };
const LOOSE = { max_in_flight: 6 };
const CHANGES = 6;
/** An image more at each change, so that after it the budget is used up. */
const RAISE = 1200;
/** In the end for all that is left. */
const PLENTY = 1_000_000;

const GIVE_UP_MS = 60_000;

/** Asks one API after the other until one answers: they are killed and Redis goes away. */
async function ask<T>(world: World, method: string, path: string, body?: object): Promise<T> {
  let n = 0;
  const { answer } = await waitFor(
    async () => {
      const api = world.operators[n++ % world.operators.length];
      if (api === undefined) throw new Error('there is no API');
      return { answer: await api.json<T>(method, path, body) };
    },
    { timeoutMs: GIVE_UP_MS, everyMs: 200, what: `an API to answer ${method} ${path}` },
  );
  return answer;
}

/** What calls of each tenant came to, charged and set aside. */
export async function usageOf(world: World): Promise<Record<Tenant, { credits: number; reserved: number }>> {
  const rows = await Promise.all(
    TENANTS.map(async (tenant) => {
      type Answer = { data: { credits: number; reserved: number }[] };
      const { data } = await ask<Answer>(world, 'GET', `/admin/v1/usage?group_by=tenant&tenant=${tenant}`);
      return [tenant, data[0] ?? { credits: 0, reserved: 0 }] as const;
    }),
  );
  return Object.fromEntries(rows) as Record<Tenant, { credits: number; reserved: number }>;
}

/** An operator who limits tenants from the start on, changes the limits while everything goes wrong, and lifts them at the end. */
export async function changeLimits(world: World, o: { troubleMs: number; startedAt: number }): Promise<LimitChange[]> {
  const changes: LimitChange[] = [];
  const set = async (tenant: Tenant, limits: LimitChange['limits']) => {
    const askedAt = Date.now();
    await ask(world, 'PUT', `/admin/v1/tenants/${tenant}`, { ...limits, reason: 'chaos' });
    changes.push({ tenant, askedAt, answeredAt: Date.now(), limits });
  };
  const budget = async (more: number): Promise<LimitChange['limits']> => {
    const { credits, reserved } = (await usageOf(world)).thrift;
    return { budget: { credits: credits + reserved + more, period: 'total' } };
  };
  for (let n = 0; n < CHANGES; n += 1) {
    await set('acme', n % 2 === 0 ? TIGHT : LOOSE);
    await set('thrift', await budget(RAISE));
    // The pace of the operator: there is nothing to wait for.
    await sleep(Math.max(0, o.startedAt + (o.troubleMs * (n + 1) * 0.9) / CHANGES - Date.now()));
  }
  await set('acme', {});
  await set('thrift', await budget(PLENTY));
  return changes;
}
