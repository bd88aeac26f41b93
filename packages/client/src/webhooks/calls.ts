import { type CallOptions, within } from '../deadline.ts';
import { listOf, type Pages } from '../pages.ts';
import { pathOf } from '../paths.ts';
import type { Transport } from '../transport.ts';
import type { WebhookDelivery, WebhookRecovery, WebhookSecret } from '../types.ts';
import { verifyWebhook } from './verify.ts';

type State = WebhookDelivery['state'];
type Type = WebhookDelivery['type'];

export interface DeliveryFilter {
  job_id?: string | undefined;
  state?: State | readonly State[] | undefined;
  type?: Type | readonly Type[] | undefined;
  /** To the endpoint of this URL. */
  url?: string | undefined;
  /** Deliveries in a page, 1–100 (default 100). */
  limit?: number | undefined;
  /** `next_cursor` of the page before. */
  cursor?: string | undefined;
}

export interface RotateSecretOptions extends CallOptions {
  /** Seconds for which the secrets of before sign along, at most 604 800 (default 86 400); with 0 they end at once. */
  overlap_s?: number | undefined;
}

export interface Webhooks {
  verify: typeof verifyWebhook;
  /** The secret that webhooks of this tenant are signed with, and earlier ones that still sign; the key needs `webhooks:write`. */
  secret(options?: CallOptions): Promise<WebhookSecret>;
  /** Makes a new secret and resolves with it; while they overlap, a webhook has a signature by each. Sent once. */
  rotateSecret(options?: RotateSecretOptions): Promise<WebhookSecret>;
  /** What was sent, or is to be, the newest first. */
  deliveries(filter?: DeliveryFilter, options?: CallOptions): Pages<WebhookDelivery>;
  /** One of them, with what the receiver answered to each attempt. */
  delivery(id: string, options?: CallOptions): Promise<WebhookDelivery>;
  /** Sends a webhook once more, under the id that it had. */
  resend(id: string, options?: CallOptions): Promise<WebhookDelivery>;
  /** Sends again what the endpoint of `url` has missed since `since` (RFC 3339); the service does it behind its answer. */
  recover(endpoint: { url: string; since: string }, options?: CallOptions): Promise<WebhookRecovery>;
}

export function createWebhooks(transport: Transport): Webhooks {
  const ask = async <T>(method: string, path: string, call: CallOptions, json?: object) =>
    await within(call, async (signal) => (await transport.request<T>(method, path, { signal, json })).value);

  return {
    verify: verifyWebhook,
    secret: async (call = {}) => await ask<WebhookSecret>('GET', '/v1/webhook-secret', call),
    rotateSecret: async ({ overlap_s, ...call } = {}) =>
      await ask<WebhookSecret>('POST', '/v1/webhook-secret/rotate', call, { overlap_s }),
    deliveries: (filter = {}, call = {}) => listOf<WebhookDelivery>(transport, '/v1/webhook-deliveries', { ...filter }, call),
    delivery: async (id, call = {}) => await ask<WebhookDelivery>('GET', pathOf('webhook-deliveries', id), call),
    resend: async (id, call = {}) => await ask<WebhookDelivery>('POST', `${pathOf('webhook-deliveries', id)}/resend`, call),
    recover: async ({ url, since }, call = {}) =>
      await ask<WebhookRecovery>('POST', '/v1/webhook-deliveries/recover', call, { url, since }),
  };
}
