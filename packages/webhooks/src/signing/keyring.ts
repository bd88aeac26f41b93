import type { SecretBox } from './secret-box.ts';
import { type DatedSecret, rotateSecrets } from './secrets.ts';

/** Others can change a tenant's secrets at the same time, but hardly so often that one change loses this many times. */
const TRIES = 20;

/** A tenant's secrets as they rest, newest first; each `secret` is sealed. `text` is what was read, for the write that follows. */
export interface KeptSecrets {
  readonly text: string;
  readonly secrets: readonly DatedSecret[];
}

/** Where sealed secrets rest. */
export interface SecretStore {
  webhookSecrets(tenant: string): Promise<KeptSecrets>;
  /** Writes `after` if the secrets still are what was read as `before`; `false`: they are not. */
  replaceWebhookSecrets(tenant: string, before: KeptSecrets, after: readonly DatedSecret[]): Promise<boolean>;
}

/** The signing secrets of all tenants, as plain text and newest first. The first one has no end. */
export interface Keyring {
  /**
   * The tenant's secrets that have not ended; one is made when there is none. What lies there under an older
   * `SECRETS_KEY` is sealed anew. Throws a SecretBoxError when one can be opened by no key.
   */
  read(tenant: string): Promise<readonly DatedSecret[]>;
  /**
   * Puts a new secret in front; the older ones sign along for `overlapMs`. Of two rotations at once both count, one
   * after the other. Secrets that no key opens are dropped: they sign nothing any more.
   */
  rotate(tenant: string, overlapMs: number): Promise<readonly DatedSecret[]>;
}

/** Opens, makes and rotates the secrets that `store` keeps sealed. */
export function createKeyring(o: {
  store: SecretStore;
  box: SecretBox;
  newSecret: () => string;
  clock: { now(): number };
}): Keyring {
  const { store, box, clock } = o;
  const isAlive = ({ until }: DatedSecret): boolean => until === undefined || until > clock.now();

  async function change(
    tenant: string,
    decide: (sealed: readonly DatedSecret[]) => readonly DatedSecret[],
  ): Promise<readonly DatedSecret[]> {
    for (let n = 0; n < TRIES; n += 1) {
      const kept = await store.webhookSecrets(tenant);
      const after = decide(kept.secrets);
      if (after === kept.secrets || (await store.replaceWebhookSecrets(tenant, kept, after)))
        return after.filter(isAlive).map((each) => ({ ...each, secret: box.open(each.secret, tenant) }));
    }
    throw new Error('the webhook secrets change too fast to be written');
  }

  const fresh = (tenant: string): string => box.seal(o.newSecret(), tenant);
  const anew = (tenant: string, each: DatedSecret): DatedSecret =>
    box.isCurrent(each.secret) ? each : { ...each, secret: box.seal(box.open(each.secret, tenant), tenant) };

  function opens(tenant: string, { secret }: DatedSecret): boolean {
    try {
      box.open(secret, tenant);
      return true;
    } catch {
      return false;
    }
  }

  return {
    read: (tenant) =>
      change(tenant, (sealed) => {
        if (sealed.length === 0) return [{ secret: fresh(tenant) }];
        const living = sealed.filter(isAlive);
        return living.every(({ secret }) => box.isCurrent(secret)) ? sealed : living.map((each) => anew(tenant, each));
      }),

    rotate: (tenant, overlapMs) =>
      change(tenant, (sealed) => {
        const usable = sealed.filter((each) => opens(tenant, each)).map((each) => anew(tenant, each));
        return rotateSecrets(usable, fresh(tenant), { now: clock.now(), overlapMs });
      }),
  };
}
