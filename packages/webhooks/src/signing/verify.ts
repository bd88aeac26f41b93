import { timingSafeEqual } from 'node:crypto';
import { signature } from './sign.ts';

/** Why a webhook was not believed. */
export type VerificationProblem = 'missing_header' | 'bad_timestamp' | 'too_old' | 'too_new' | 'no_matching_signature';

/** A webhook that must not be believed; answer it with a 4xx. */
export class WebhookVerificationError extends Error {
  override readonly name = 'WebhookVerificationError';
  readonly code: VerificationProblem;

  constructor(code: VerificationProblem, message: string) {
    super(message);
    this.code = code;
  }
}

/** Headers as Node, a framework or fetch hands them over; names in any case. */
export type IncomingHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a receiver holds against a request. */
export interface Verifiable {
  /** Every secret that may have signed; one match is enough. */
  readonly secrets: readonly string[];
  readonly headers: IncomingHeaders;
  /** The body as it arrived, before any parsing. */
  readonly body: string | Uint8Array;
  /** The receiver's clock, ms since the epoch. */
  readonly now?: number;
  /** How far, in seconds, the timestamp may lie from `now` on either side. */
  readonly toleranceS?: number;
}

const DEFAULT_TOLERANCE_S = 300;

/**
 * Proves that a webhook was signed with one of `secrets` not longer ago than the tolerance, comparing in constant time.
 * Answers its id (the same on every attempt: use it to find a repeat) and its timestamp in seconds.
 * Throws {@link WebhookVerificationError}; an unusable secret is a `WebhookSecretError`.
 */
export function verify({ secrets, headers, body, now = Date.now(), toleranceS = DEFAULT_TOLERANCE_S }: Verifiable): {
  id: string;
  timestamp: number;
} {
  const id = required(headers, 'webhook-id');
  const timestampText = required(headers, 'webhook-timestamp');
  const signatures = required(headers, 'webhook-signature');
  const timestamp = readTimestamp(timestampText, Math.floor(now / 1000), toleranceS);

  const expected = secrets.map((secret) => signature(secret, id, timestampText, body));
  const received = signatures
    .split(' ')
    .filter((part) => part.startsWith('v1,'))
    .map((part) => Buffer.from(part.slice(3), 'base64'));
  const match = received.some((given) => expected.some((own) => own.length === given.length && timingSafeEqual(own, given)));
  if (!match) throw new WebhookVerificationError('no_matching_signature', 'no signature of the webhook fits a known secret');
  return { id, timestamp };
}

function readTimestamp(text: string, nowS: number, toleranceS: number): number {
  if (!/^\d{1,12}$/.test(text)) throw new WebhookVerificationError('bad_timestamp', 'webhook-timestamp is not in whole seconds');
  const timestamp = Number(text);
  if (timestamp < nowS - toleranceS) throw new WebhookVerificationError('too_old', 'the webhook was signed too long ago');
  if (timestamp > nowS + toleranceS) throw new WebhookVerificationError('too_new', 'the webhook was signed in the future');
  return timestamp;
}

function required(headers: IncomingHeaders, name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : find(headers, name);
  if (!value) throw new WebhookVerificationError('missing_header', `the request has no ${name} header`);
  return value;
}

function find(headers: Readonly<Record<string, string | readonly string[] | undefined>>, name: string): string | undefined {
  const key = Object.keys(headers).find((candidate) => candidate.toLowerCase() === name);
  const value = key === undefined ? undefined : headers[key];
  return typeof value === 'string' ? value : value?.[0];
}
