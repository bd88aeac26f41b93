import { EventEmitter } from 'node:events';
import type { Request, Response } from 'express';
import { expect, test, vi } from 'vitest';
import type { ProblemCode } from './problem.ts';
import { createTenantBrake } from './tenant-brake.ts';

function start() {
  const wait = vi.fn(async (_ms: number): Promise<unknown> => undefined);
  const brake = createTenantBrake({ wait });
  /** A request of a tenant and its answer; answers how long it had to wait. */
  const send = async (tenant: string, problemCode?: ProblemCode, headers: Request['headers'] = { 'content-length': '9' }) => {
    wait.mockClear();
    const response = Object.assign(new EventEmitter(), { locals: { problemCode } }) as unknown as Response;
    await brake.before(tenant, { headers } as Request, response);
    response.emit('close');
    return wait.mock.calls[0]?.[0] ?? 0;
  };
  return { send };
}

test.each(['body_too_large', 'tenant_quota_exceeded', 'too_many_bytes_in_flight'] as const)(
  'when a tenant goes on after ten refusals with %s then each body waits longer, up to a second, and other tenants do not',
  async (code) => {
    const { send } = start();
    const waits: number[] = [];
    for (let n = 0; n < 17; n += 1) waits.push(await send('acme', code));
    expect(waits).toEqual([...Array<number>(10).fill(0), 50, 100, 200, 400, 800, 1000, 1000]);
    expect(await send('globex')).toBe(0);
  },
);

test('when a tenant is refused for what cost little, or sends no body, then it never waits', async () => {
  const { send } = start();
  for (let n = 0; n < 20; n += 1) expect(await send('acme', 'invalid_request')).toBe(0);
  for (let n = 0; n < 20; n += 1) await send('acme', 'body_too_large');
  expect(await send('acme', undefined, {})).toBe(0);
  expect(await send('acme', undefined, { 'transfer-encoding': 'chunked' })).toBe(1000);
});
