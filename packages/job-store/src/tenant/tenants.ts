import { defineScript, type Redis, type RunScript } from '@grsai-jobs/redis';

/** A sealed webhook secret; `until` (ms since 1970) is set once a newer one has replaced it. */
interface SealedSecret {
  readonly secret: string;
  readonly until?: number;
}

/** A tenant's sealed secrets, newest first, with the text that they were read from (empty: there are none yet). */
interface KeptSecrets {
  readonly text: string;
  readonly secrets: readonly SealedSecret[];
}

/** Before there were rotations the field held one sealed text, which never begins like a list. */
const decode = (text: string): SealedSecret[] => {
  if (text === '') return [];
  return text.startsWith('[') ? (JSON.parse(text) as SealedSecret[]) : [{ secret: text }];
};

/** The tenant of `ADMIN_API_KEY`. */
const FIRST_TENANT = 'admin';

const swapSecrets = defineScript({
  lua: new URL('./swap-secrets.lua', import.meta.url),
  keys: ['tenant'],
  args: ['before?', 'after', 'channel', 'name'],
  whenFull: 'runs',
  lasts: true,
});

export type Tenants = ReturnType<typeof createTenants>;

/** What belongs to a tenant itself. Secrets arrive here sealed. */
export function createTenants(
  redis: Redis,
  run: RunScript,
  keys: { readonly tenants: string; tenant(name: string): string; readonly secretChanges: string },
) {
  return {
    /** Every tenant that ever had a key, and so every tenant that may have jobs. The first key of all belongs to `admin`. */
    all: async (): Promise<string[]> => [...new Set([...(await redis.smembers(keys.tenants)), FIRST_TENANT])],

    async webhookSecrets(tenant: string): Promise<KeptSecrets> {
      const text = (await redis.hget(keys.tenant(tenant), 'webhook_secret')) ?? '';
      return { text, secrets: decode(text) };
    },

    /**
     * Writes `after` if the secrets still are what was read as `before`, and notifies all processes; `false`: somebody
     * else has changed them.
     */
    async replaceWebhookSecrets(tenant: string, before: KeptSecrets, after: readonly SealedSecret[]): Promise<boolean> {
      const args = { before: before.text, after: JSON.stringify(after), channel: keys.secretChanges, name: tenant };
      return (await run(swapSecrets, { tenant: keys.tenant(tenant) }, args)) === 1;
    },
  };
}
