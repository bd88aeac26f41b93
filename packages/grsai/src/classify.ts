import { type CallerWords, Echoes } from './caller-words.ts';
import { plainText } from './plain-text.ts';
import { TEXT_ROWS } from './text-rows.ts';

/**
 * Why upstream said no (upstream.md §11.1).
 * `failed` is upstream's own vague failure ("generate failed"): refunded, may be submitted again a few times.
 * `transient` is one that upstream itself calls passing. `unknown`: no row of the table knows the text.
 */
export type Category =
  | 'auth'
  | 'balance'
  | 'moderation'
  | 'input'
  | 'model'
  | 'transient'
  | 'rate_limited'
  | 'failed'
  | 'unknown';

/** Values of `failure_reason` that say it all. */
export const MODERATED: ReadonlySet<string> = new Set(['input_moderation', 'output_moderation']);

/** HTTP statuses that say it all (upstream.md §11.2); 402 is assumed. */
const STATUS_ROWS: Readonly<Record<number, Category>> = {
  401: 'auth',
  402: 'balance',
  413: 'input',
  425: 'transient',
  429: 'rate_limited',
};

/** Codes of the legacy envelope (upstream.md §5.4) that say more than "no". */
const CODE_ROWS: Readonly<Record<number, Category>> = { [-4]: 'input' };

/** What is known of an answer that says no. Any of it may be missing. */
export interface Evidence {
  readonly status?: number | undefined;
  /** `code` of the envelope. */
  readonly code?: number | undefined;
  /** `status` of the task. */
  readonly taskStatus?: string | undefined;
  /** `failure_reason` of a legacy task. */
  readonly reason?: string | undefined;
  /** Codes beside the text, as OpenAI and Gemini have them. */
  readonly hints?: string | undefined;
  readonly text?: string | undefined;
}

export interface Verdict {
  readonly category: Category;
  readonly waitMs?: number | undefined;
  /** Upstream is overloaded: it passes, and is no failure of the job. */
  readonly busy?: true | undefined;
  /** Only upstream itself says so, whatever the HTTP status. */
  readonly sure?: true | undefined;
  /**
   * `category` is `unknown`, but it may concern all. The text speaks of the key or the credits in words that the caller wrote as well,
   * or nothing is known at this address: only a look at the key, the credits or the API shows which.
   */
  readonly suspect?: Suspect | undefined;
}

/** Places of one row that are looked at: a text that says it more often repeats a caller. */
const LOOKED_AT = 4;

/** What holds for all callers, and so is never believed on one refusal: the key, the credits, or the address that is called. */
export type Suspect = 'auth' | 'balance' | 'address';

const isSuspect = (category: Category): category is 'auth' | 'balance' => category === 'auth' || category === 'balance';

/**
 * The first row of the table that knows the text by words of upstream's own. What the caller wrote decides nothing (*measured*:
 * one chat with a model called "insufficient credits" stopped the chats of all), in whatever case or escaping it is repeated.
 */
export function classifyText(text: string, words?: () => CallerWords): Verdict {
  const { plain, escaped } = plainText(text);
  let echoes: Echoes | undefined;
  let suspect: Suspect | undefined;
  for (const { text: row, ...verdict } of TEXT_ROWS) {
    for (const { 0: match, index } of [...plain.matchAll(row)].slice(0, LOOKED_AT)) {
      if (words === undefined) return verdict;
      echoes ??= new Echoes(plain, words(), escaped);
      if (!echoes.covers(index, index + match.length)) return verdict;
      if (isSuspect(verdict.category)) suspect ??= verdict.category;
    }
  }
  return { category: 'unknown', suspect };
}

const NARROWS_429: ReadonlySet<Category> = new Set(['auth', 'balance', 'moderation']);

/**
 * The category of a refusal or a failed task; an answer for every input. The body's own status words and codes stand before
 * the HTTP status, and free text comes last (upstream.md §11.1), but for one thing: a 429 that speaks of the key, the credits or
 * the policy is no matter of pace. `words` are those of the caller, which prove nothing.
 */
export function classify({ status, code, taskStatus, reason, hints, text }: Evidence, words?: () => CallerWords): Verdict {
  if (taskStatus === 'violation' || MODERATED.has(reason ?? '')) return { category: 'moderation' };
  const byText = classifyText([reason, hints, text].filter(Boolean).join(' | '), words);
  const byCode = code === undefined ? undefined : CODE_ROWS[code];
  if (byCode !== undefined) return { category: byCode, sure: true };
  const byStatus = status === undefined ? undefined : STATUS_ROWS[status];
  if (byStatus === 'rate_limited' && NARROWS_429.has(byText.category)) return byText;
  if (byStatus !== undefined) return { category: byStatus };
  if (byText.category !== 'unknown') return byText;
  if (status === 403 && text !== undefined) return { category: 'auth' };
  if (taskStatus === 'failed' && (text ?? '').trim() === '') return { category: 'failed' };
  return byText;
}
