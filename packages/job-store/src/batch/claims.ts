import { defineScript, type RunScript } from '@grsai-jobs/redis';

/** `open`: another request with this key is being read at this moment. */
export type Claimed = { kind: 'claimed'; by: string } | { kind: 'open' } | { kind: 'replay'; id: string; fingerprint: string };

/** A claim whose process died lapses after this long; one that is at work is renewed well before. */
const LEASE_MS = 60_000;

const claim = defineScript({
  lua: new URL('./claim.lua', import.meta.url),
  keys: ['claim'],
  args: ['by', 'lease_ms'],
  whenFull: 'fails',
  lasts: true,
});

const unclaim = defineScript({
  lua: new URL('./unclaim.lua', import.meta.url),
  keys: ['claim'],
  args: ['by', 'lease_ms'],
  whenFull: 'runs',
});

export type Claims = ReturnType<typeof createClaims>;

/**
 * Idempotency-Keys of requests whose body takes long to read: claimed at the start, bound to what they made by the
 * commit, freed when they came to nothing.
 */
export function createClaims(
  run: RunScript,
  keys: { idempotency(tenant: string, route: string, key: string): string },
  newToken: () => string,
) {
  const at = (key: { tenant: string; route: string; key: string }) => keys.idempotency(key.tenant, key.route, key.key);
  return {
    async claim(key: { tenant: string; route: string; key: string }): Promise<Claimed> {
      const by = newToken();
      const [kind, id, fingerprint] = (await run(claim, { claim: at(key) }, { by, lease_ms: LEASE_MS })) as string[];
      if (kind === 'claimed') return { kind, by };
      return kind === 'open' ? { kind } : { kind: 'replay', id: String(id), fingerprint: String(fingerprint) };
    },

    /** The request is still being read. To be called at least every 30 s. `false`: the key is another's by now. */
    renew: async (key: { tenant: string; route: string; key: string; by: string }): Promise<boolean> =>
      (await run(unclaim, { claim: at(key) }, { by: key.by, lease_ms: LEASE_MS })) === 1,

    /** The request came to nothing. */
    async free(key: { tenant: string; route: string; key: string; by: string }): Promise<void> {
      await run(unclaim, { claim: at(key) }, { by: key.by, lease_ms: 0 });
    },
  };
}
