import { defineScript, type RunScript } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';
import type { Idempotency } from './create.ts';

const forgetKeyScript = defineScript({
  lua: new URL('./forget-key.lua', import.meta.url),
  keys: ['idempotency'],
  args: ['id'],
  whenFull: 'runs',
  lasts: true,
});

export const createForgetKey =
  (run: RunScript, keys: Pick<Keys, 'idempotency'>) =>
  /** The next request with this key makes a job of its own; `false`: the key does not belong to this job any more. */
  async (id: string, tenant: string, { route, key }: Pick<Idempotency, 'route' | 'key'>): Promise<boolean> =>
    (await run(forgetKeyScript, { idempotency: keys.idempotency(tenant, route, key) }, { id })) === 1;
