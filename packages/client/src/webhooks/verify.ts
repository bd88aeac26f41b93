import { WebhookVerificationError } from '../errors.ts';
import type { WebhookEvent } from '../types.ts';

/** Signatures of Standard Webhooks, by WebCrypto alone (docs/webhooks.md). */

/** The raw body, as it came. */
export type RawBody = string | Uint8Array | ArrayBuffer;
/** Of a `Request`, or of Node. */
export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface VerifyOptions {
  /** How far the time of the webhook may be from now, in seconds, in both directions (default 300). */
  toleranceS?: number | undefined;
  /** Milliseconds since 1970. */
  now?: (() => number) | undefined;
}

/** A webhook has two signatures during a rotation; who sends many wants to keep us busy. */
const MOST_SIGNATURES = 16;

/**
 * The event of a webhook; rejects with {@link WebhookVerificationError} when it is not from the service, or not as it was sent.
 *
 * @param secret `whsec_…`; during a rotation the old and the new one
 */
export async function verifyWebhook(
  body: RawBody,
  headers: WebhookHeaders,
  secret: string | readonly string[],
  { toleranceS = 300, now = Date.now }: VerifyOptions = {},
): Promise<WebhookEvent> {
  const bytes = bytesOf(body);
  const id = headerOf(headers, 'webhook-id');
  const timestamp = headerOf(headers, 'webhook-timestamp');
  const signatures = headerOf(headers, 'webhook-signature');
  const ageS = now() / 1000 - Number(timestamp);
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(ageS) > toleranceS) {
    const detail = `The webhook-timestamp is not within ${toleranceS} s of now: a webhook of long ago, or a clock that is wrong.`;
    throw new WebhookVerificationError({ code: 'timestamp_out_of_tolerance', detail });
  }
  const signed = concat(new TextEncoder().encode(`${id}.${timestamp}.`), bytes);
  const keys = await Promise.all((typeof secret === 'string' ? [secret] : secret).map(keyOf));
  for (const signature of signatures.split(' ').slice(0, MOST_SIGNATURES))
    for (const key of keys) if (await fits(key, signature, signed)) return eventOf(bytes);
  throw new WebhookVerificationError({
    code: 'no_signature_fits',
    detail: 'No webhook-signature fits: another secret, or a body that is not byte for byte as it came.',
  });
}

function bytesOf(body: unknown): Uint8Array {
  if (typeof body === 'string') return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  throw new WebhookVerificationError({
    code: 'body_parsed',
    detail:
      'The body of a webhook is verified as the bytes that came, and this is none: take the raw body, before any parser of JSON (Express: no express.json() before this route).',
  });
}

function headerOf(headers: WebhookHeaders, name: string): string {
  const value =
    headers instanceof Headers ? headers.get(name) : Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  if (typeof value === 'string' && value !== '') return value;
  throw new WebhookVerificationError({
    code: 'header_missing',
    detail: `The header ${name} is missing: no webhook of this service.`,
  });
}

type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

async function keyOf(secret: string): Promise<Key> {
  const bytes = fromBase64(secret.replace(/^whsec_/, ''));
  if (bytes === undefined || bytes.length === 0)
    throw new WebhookVerificationError({
      code: 'bad_secret',
      detail: 'A webhook secret is whsec_ and base64, as GET /v1/webhook-secret has it.',
    });
  return await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
}

/** In constant time, as `verify` compares. */
async function fits(key: Key, signature: string, signed: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const [version, text] = signature.split(',', 2);
  const bytes = version === 'v1' && text !== undefined ? fromBase64(text) : undefined;
  return bytes !== undefined && (await crypto.subtle.verify('HMAC', key, bytes, signed));
}

function eventOf(bytes: Uint8Array): WebhookEvent {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as WebhookEvent;
  } catch (cause) {
    throw new WebhookVerificationError({ code: 'not_json', detail: 'The signature fits, and the body is not JSON.', cause });
  }
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
