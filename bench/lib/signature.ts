import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export const signingKey = (secret: string): KeyObject => createSecretKey(Buffer.from(secret.replace('whsec_', ''), 'base64'));

/** Whether a request is signed with that key as Standard Webhooks says. Its age is not looked at. */
export function isSigned(key: KeyObject, headers: IncomingHttpHeaders, body: string): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': given } = headers;
  const wanted = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
  const signatures = String(given)
    .split(' ')
    .map((each) => Buffer.from(each.replace(/^v1,/, ''), 'base64'));
  return signatures.some((each) => each.length === wanted.length && timingSafeEqual(each, wanted));
}
