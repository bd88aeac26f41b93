import type { Chat } from './chat.ts';
import type { Category } from './classify.ts';
import { GrsaiError, type GrsaiErrorCode } from './errors.ts';
import type { Images } from './images.ts';
import type { CallOptions } from './options.ts';

/** `unknown`: upstream could not be reached, or its answer does not say. */
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
 * bad key and a model error for a good one (upstream.md §2). Takes at most `limitMs`; rejects only when the caller's signal
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

/** `wrong`: something answers there, and it is not the Grsai API. `away`: nothing answers now, or only a proxy in front. */
export type BaseState = 'right' | 'wrong' | 'away';

export interface BaseFacts {
  readonly state: BaseState;
  /** HTTP status of the answer, or the code of the error. */
  readonly seen: string;
}

/** A task id that nobody has. */
const NO_TASK = '0-00000000-0000-4000-8000-000000000000';

/** Says that there is no such task. Other services have a JSON 404 too, and may repeat the path in it. */
const NO_SUCH_TASK =
  /(?:result|task)\b[^/"]{0,20}\b(?:not|no longer|expired)\b|(?:任务|结果)[^/"]{0,10}(?:不存在|过期)|"code"\s*:\s*-22\b/i;

const AWAY: ReadonlySet<GrsaiErrorCode> = new Set([
  'connection_failed',
  'connection_lost',
  'timeout',
  'rate_limited',
  'server_error',
]);

/** Statuses that say that the host or path is another's; other refusals may be those of the API, in words yet unknown. */
const ELSEWHERE = /^(3\d\d|404|405|410|421|426)$/;

/**
 * Whether a base is one of the Grsai API, at no cost: a question for a task that nobody has is answered in words of its own (upstream.md
 * §4), and otherwise where the host or path is wrong. Takes at most `limitMs`; rejects only when the caller's signal fires.
 */
export async function probeBase(images: Images, base: string, limitMs: number, { signal }: CallOptions): Promise<BaseFacts> {
  const limit = AbortSignal.timeout(limitMs);
  try {
    const both = signal === undefined ? limit : AbortSignal.any([signal, limit]);
    const { status, raw } = await images.result(NO_TASK, { base, signal: both });
    return { state: status !== 'missing' || NO_SUCH_TASK.test(raw) ? 'right' : 'wrong', seen: 'HTTP 404' };
  } catch (error) {
    if (!(error instanceof GrsaiError) || signal?.aborted === true) throw error;
    const seen = error.status === undefined ? error.code : `HTTP ${error.status}`;
    const empty = error.code === 'unreadable_answer' && (error.raw ?? '').trim() === '';
    if (AWAY.has(error.code) || error.code === 'aborted' || empty) return { state: 'away', seen };
    return { state: error.code === 'unreadable_answer' || ELSEWHERE.test(String(error.status)) ? 'wrong' : 'right', seen };
  }
}
