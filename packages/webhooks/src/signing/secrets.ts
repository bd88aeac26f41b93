import { createHash, randomBytes } from 'node:crypto';

const PREFIX = 'whsec_';
const NEW_SECRET_BYTES = 32;
/** Standard Webhooks, "Signature scheme": a symmetric secret has 24 to 64 bytes. */
const MIN_BYTES = 24;
const MAX_BYTES = 64;
/** Every living secret adds a signature to each webhook; rotating in a hurry must not grow the header without end. */
const MAX_LIVING = 5;

/** A signing secret of a tenant; `until` (ms since the epoch) is set once a newer one has replaced it. */
export interface DatedSecret {
  readonly secret: string;
  readonly until?: number;
}

/** A webhook secret that cannot be used. The message never holds the secret. */
export class WebhookSecretError extends Error {
  override readonly name = 'WebhookSecretError';
}

/** A fresh signing secret: `whsec_` and the base64 of 32 random bytes. */
export function newSecret(): string {
  return PREFIX + randomBytes(NEW_SECRET_BYTES).toString('base64');
}

/** A name for a secret that can be shown and logged: `whk_` and 16 hex digits of its hash. */
export function secretId(secret: string): string {
  return `whk_${createHash('sha256').update(secretBytes(secret)).digest('hex').slice(0, 16)}`;
}

/**
 * The bytes behind a `whsec_…` text; the prefix may be missing, as receivers often store it without.
 * Throws {@link WebhookSecretError} when it is not base64 of 24 to 64 bytes.
 */
export function secretBytes(secret: string): Buffer {
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, '')) {
    throw new WebhookSecretError('the webhook secret is not base64');
  }
  if (bytes.length < MIN_BYTES || bytes.length > MAX_BYTES) {
    throw new WebhookSecretError(`the webhook secret has ${bytes.length} bytes; ${MIN_BYTES} to ${MAX_BYTES} are needed`);
  }
  return bytes;
}

/**
 * Puts `fresh` in front of a tenant's secrets. The older ones go on signing for `overlapMs`, or less when an earlier
 * rotation already gave them a sooner end; with 0 they end at once. `now` is in ms. At most five stay alive.
 */
export function rotateSecrets(
  secrets: readonly DatedSecret[],
  fresh: string,
  { now, overlapMs }: { now: number; overlapMs: number },
): DatedSecret[] {
  const end = now + overlapMs;
  const older = secrets.map(({ secret, until }) => ({ secret, until: Math.min(until ?? end, end) }));
  return [{ secret: fresh }, ...older.filter(({ until }) => until > now)].slice(0, MAX_LIVING);
}

/** The secrets that sign at `now` (ms), newest first: what {@link sign} takes. */
export function livingSecrets(secrets: readonly DatedSecret[], now: number): string[] {
  return secrets.filter(({ until }) => until === undefined || until > now).map(({ secret }) => secret);
}
