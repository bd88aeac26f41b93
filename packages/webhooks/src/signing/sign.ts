import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { secretBytes, WebhookSecretError } from './secrets.ts';

/** The three headers of Standard Webhooks, under their exact names. */
export type WebhookHeaders = Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>;

/** What is signed. */
export interface Signable {
  /** `whsec_…` or its {@link signingKey}, newest first: each adds a signature, so that a receiver may know any one of them during a rotation. */
  readonly secrets: readonly (string | KeyObject)[];
  /** The event's id, the same on every attempt. */
  readonly id: string;
  /** Whole seconds since the epoch, of this attempt. */
  readonly timestamp: number;
  /** Exactly the bytes that are sent. */
  readonly body: string | Uint8Array;
}

/** Above it a timestamp can only be milliseconds: as seconds it is the year 5138. */
const MAX_SECONDS = 100_000_000_000;

/**
 * Signs one attempt of a webhook as Standard Webhooks asks (`v1`, HMAC-SHA256 of `id.timestamp.body`).
 * Throws a RangeError for a timestamp that is not in whole seconds and {@link WebhookSecretError} for an unusable secret.
 */
export function sign({ secrets, id, timestamp, body }: Signable): WebhookHeaders {
  if (!Number.isSafeInteger(timestamp) || timestamp < 0 || timestamp > MAX_SECONDS) {
    throw new RangeError(`a webhook timestamp is in whole seconds, not ${timestamp}`);
  }
  if (secrets.length === 0) throw new WebhookSecretError('a webhook needs at least one secret to be signed with');
  const signatures = secrets.map((secret) => `v1,${signature(secret, id, String(timestamp), body).toString('base64')}`);
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') };
}

/**
 * A secret as the key that it is, for whoever signs by it more than once: to make it takes longer than to sign.
 * Throws {@link WebhookSecretError} for an unusable one.
 */
export const signingKey = (secret: string): KeyObject => createSecretKey(secretBytes(secret));

/** The raw `v1` signature; `timestamp` is the header's text, since its bytes are what was signed. */
export function signature(secret: string | KeyObject, id: string, timestamp: string, body: string | Uint8Array): Buffer {
  return createHmac('sha256', typeof secret === 'string' ? signingKey(secret) : secret)
    .update(`${id}.${timestamp}.`)
    .update(body)
    .digest();
}
