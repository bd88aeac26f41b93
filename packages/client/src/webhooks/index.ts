/** Receivers of webhooks; they need no API key and no client. */
export { WebhookVerificationError } from '../errors.ts';
export type { WebhookEvent } from '../types.ts';
export { webhookHandler } from './fetch.ts';
export type { ReceiverOptions } from './receive.ts';
export { type RawBody, type VerifyOptions, verifyWebhook, type WebhookHeaders } from './verify.ts';
