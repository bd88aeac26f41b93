import { setTimeout as sleep } from 'node:timers/promises';
import type { Tenant, World } from './world.ts';

async function put({ api }: World, tenant: Tenant, limits: object): Promise<void> {
  const response = await fetch(`${api.url}/admin/v1/tenants/${tenant}`, {
    method: 'PUT',
    headers: { ...api.operator, 'content-type': 'application/json' },
    body: JSON.stringify({ ...limits, reason: 'the soak' }),
  });
  const text = await response.text();
  if (!response.ok && response.status !== 503) throw new Error(`limits of ${tenant}: ${response.status} ${text}`);
}

async function spent({ api }: World, tenant: Tenant): Promise<number> {
  const response = await fetch(`${api.url}/admin/v1/tenants/${tenant}`, { headers: api.operator });
  const { used } = (await response.json()) as { used?: { budget_credits?: number | null } };
  return used?.budget_credits ?? 0;
}

const EVERY_MS = 30_000;

/** An operator who changes limits while the load goes on; in the end there are none, so that nothing waits for them. */
export async function changeLimits(world: World, o: { perSecond: number; signal: AbortSignal }): Promise<void> {
  const ofOne = o.perSecond / 5;
  // What a tenant would spend: an image of the load costs 1 200 credits, a chat about 10.
  const wanted = ofOne * (EVERY_MS / 1000) * 0.22 * 1200;
  for (let n = 0; !o.signal.aborted; n += 1) {
    await put(world, 'soak-2', { max_in_flight: n % 2 === 0 ? 20 : 40, max_queued: 200 });
    await put(world, 'soak-3', { requests_per_minute: Math.max(10, Math.round(ofOne * 60 * 0.9)) });
    // Half of it, then twice as much: jobs wait for credits, and what waits does not grow for ever.
    const allowance = Math.ceil(wanted * (n % 2 === 0 ? 0.5 : 2));
    await put(world, 'soak-4', { budget: { credits: Math.ceil(await spent(world, 'soak-4')) + allowance, period: 'day' } });
    await sleep(EVERY_MS, undefined, { signal: o.signal }).catch(() => undefined);
  }
  for (const tenant of ['soak-2', 'soak-3', 'soak-4'] as const) await put(world, tenant, {});
}
