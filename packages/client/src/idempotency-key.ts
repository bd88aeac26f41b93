import { InvalidRequestError } from './errors.ts';

/** The key that the caller gives, else one that nobody else has. */
export function newIdempotencyKey(given: string | undefined): string {
  if (given === undefined) return crypto.randomUUID();
  if (/^[\x21-\x7e]{1,255}$/.test(given)) return given;
  throw new InvalidRequestError({
    code: 'bad_idempotency_key',
    detail: 'An idempotencyKey has 1 to 255 visible ASCII characters, and no space.',
  });
}
