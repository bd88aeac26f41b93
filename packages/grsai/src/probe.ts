import type { Chat } from './chat.ts';
import type { Category } from './classify.ts';
import { GrsaiError } from './errors.ts';
import type { CallOptions } from './options.ts';

/** `unknown`: upstream could not be reached, or its answer does not tell. */
export type KeyState = 'valid' | 'refused' | 'unknown';

const BY_CATEGORY: Readonly<Partial<Record<Category, KeyState>>> = {
  auth: 'refused',
  model: 'valid',
  balance: 'valid',
  input: 'valid',
  moderation: 'valid',
  failed: 'valid',
};

/** A model that does not exist. */
const NO_MODEL = 'no-such-model-key-probe';

/**
 * Tells whether the key is taken, at no cost: a chat call with a model that does not exist is answered with `apikey error` for a
 * bad key and a model error for a good one (grsai-api §2). Takes at most `limitMs`; rejects only when the caller's signal
 * fires.
 */
export async function probeKey(chat: Chat, limitMs: number, { signal }: CallOptions): Promise<KeyState> {
  const limit = AbortSignal.timeout(limitMs);
  try {
    const both = signal === undefined ? limit : AbortSignal.any([signal, limit]);
    await chat.complete({ model: NO_MODEL, messages: [{ role: 'user', content: 'ping' }] }, { signal: both });
    return 'valid';
  } catch (error) {
    if (!(error instanceof GrsaiError) || signal?.aborted === true) throw error;
    return error.outcome === 'refused' ? (BY_CATEGORY[error.category] ?? 'unknown') : 'unknown';
  }
}
