import { Problem } from './problem.ts';

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * The Idempotency-Key of a request, if it has one.
 * @throws Problem 400 for one that is not 1 to 255 visible ASCII characters.
 */
export function idempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !IDEMPOTENCY_KEY.test(header))
    throw new Problem('bad_request', 'Idempotency-Key must be 1 to 255 visible ASCII characters.');
  return header;
}
