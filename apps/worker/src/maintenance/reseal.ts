import type { Tenants } from '@grsai-jobs/job-store';
import type { Logger, Service } from '@grsai-jobs/runtime';
import type { Keyring, SecretBox } from '@grsai-jobs/webhooks';

/**
 * Seals anew, once, what lies under an older key of `SECRETS_KEY`, also for tenants whose webhooks rest, and says when
 * nothing is left: then the older keys can go.
 */
export function startReseal(o: {
  tenants: Pick<Tenants, 'all' | 'webhookSecrets'>;
  keyring: Pick<Keyring, 'read'>;
  box: SecretBox;
  log: Logger;
  stopping: AbortSignal;
}): Service {
  let [resealed, unreadable] = [0, 0];

  async function reseal(tenant: string): Promise<void> {
    o.stopping.throwIfAborted();
    const { secrets } = await o.tenants.webhookSecrets(tenant);
    try {
      if (secrets.every(({ secret }) => o.box.isCurrent(secret))) return;
      await o.keyring.read(tenant);
      resealed += 1;
    } catch (err) {
      unreadable += 1;
      o.log.error({ event: 'secrets.unreadable', err, tenant }, 'no key of SECRETS_KEY opens the webhook secret of this tenant');
    }
  }

  async function resealAll(): Promise<void> {
    for (const tenant of await o.tenants.all()) await reseal(tenant);
  }

  const done = resealAll().then(
    () => o.log.info({ event: 'secrets.resealed', resealed, unreadable }, 'nothing lies under an older key of SECRETS_KEY now'),
    (err: unknown) => {
      if (!o.stopping.aborted) o.log.error({ event: 'secrets.reseal_failed', err }, 'the next start of a worker tries again');
    },
  );
  return { name: 'reseal', stop: () => done };
}
