import { WebhookVerificationError } from '../errors.ts';
import type { WebhookEvent } from '../types.ts';
import { type RawBody, type VerifyOptions, verifyWebhook, type WebhookHeaders } from './verify.ts';

/** What every kind of receiver does with a request. */

export interface ReceiverOptions extends Pick<VerifyOptions, 'toleranceS'> {
  /** `whsec_…`, several during a rotation, or where they come from. */
  secret: string | readonly string[] | (() => string | readonly string[] | Promise<string | readonly string[]>);
  /**
   * Saves the event; the webhook is answered with 204 when it resolves, and is sent again when it rejects. An event can come more
   * than once, always with the same `id`.
   */
  onEvent: (event: WebhookEvent) => void | Promise<void>;
}

/** What is answered. */
export interface Receipt {
  status: 204 | 400 | 413;
  text: string;
}

/** Larger than any webhook of the service (20 KiB), in bytes. */
export const MOST_BYTES = 1024 * 1024;

export const TOO_LARGE: Receipt = { status: 413, text: `No webhook is larger than ${MOST_BYTES} bytes.` };

/** Verifies and hands on; rejects when `onEvent` does. */
export async function receive(body: RawBody, headers: WebhookHeaders, options: ReceiverOptions): Promise<Receipt> {
  const { secret, onEvent, toleranceS } = options;
  let event: WebhookEvent;
  try {
    event = await verifyWebhook(body, headers, typeof secret === 'function' ? await secret() : secret, { toleranceS });
  } catch (error) {
    if (error instanceof WebhookVerificationError && !MISTAKES.has(error.code)) return { status: 400, text: error.message };
    throw error;
  }
  await onEvent(event);
  return { status: 204, text: '' };
}

/** Of the receiver, not of the one who sent: they are thrown, so that they are seen. */
const MISTAKES: ReadonlySet<string> = new Set(['body_parsed', 'bad_secret']);
