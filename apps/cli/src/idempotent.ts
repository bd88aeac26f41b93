import { randomUUID } from 'node:crypto';
import type { Context } from './context.ts';
import { CliError } from './exit.ts';
import { withHint } from './refusal.ts';

/**
 * Does a POST under an Idempotency-Key, a new one unless the person gave theirs. When nobody can know whether the
 * service took it, the error names the key that makes another call harmless.
 */
export async function idempotently<T>(
  { host }: Context,
  given: string | undefined,
  what: 'job' | 'batch' | 'bulk action',
  post: (idempotencyKey: string) => Promise<T>,
): Promise<T> {
  const key = given ?? randomUUID();
  const harmless = `The ${what} may have been accepted. The same call with --idempotency-key ${key} makes no second one.`;
  try {
    return await post(key);
  } catch (error) {
    if (host.interrupt.aborted) throw new CliError('interrupted', `Stopped. ${harmless}`);
    throw withHint(error, harmless);
  }
}
