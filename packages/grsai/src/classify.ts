/**
 * Why upstream said no (grsai-api §11.1).
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

interface TextRow {
  readonly category: Category;
  readonly text: RegExp;
  /** How long upstream is known to want to be left alone. */
  readonly waitMs?: number;
}

/** Texts of grsai-api §11.1, read from the top: what must never be repeated stands before what may be. */
export const TEXT_ROWS: readonly TextRow[] = [
  { category: 'moderation', text: /violat|content[_ ]policy|prompt rejected|(?:input|output)_moderation/i },
  { category: 'balance', text: /credits? not enough|not enough credits?|insufficient (?:credits?|balance)/i },
  { category: 'auth', text: /api[ _-]?key error|(?:invalid|incorrect|wrong|missing|expired) api[ _-]?key|unauthori[sz]ed/i },
  { category: 'model', text: /model not (?:found|support|exist)|model (?:is )?(?:under |in )?maintenance|unsupported model/i },
  { category: 'input', text: /invalid (?:input )?parameters?|image format is incorrect|aspectRatio must be/i },
  { category: 'input', text: /unexpected end of JSON input|invalid character .* looking for/i },
  { category: 'transient', text: /rate limit exceeded|too many requests/i, waitMs: 30_000 },
  { category: 'transient', text: /temporarily unavailable|time(?:d )?[- ]?out|(?:retry|try again) later/i },
  { category: 'failed', text: /generat(?:e|ion) (?:image )?failed|image generation failed|API error response/i },
];

/** HTTP statuses that say it all (grsai-api §11.2); 402 is assumed. */
const STATUS_ROWS: Readonly<Record<number, Category>> = {
  401: 'auth',
  402: 'balance',
  413: 'input',
  425: 'transient',
  429: 'rate_limited',
};

/** Codes of the legacy envelope (grsai-api §5.4) that say more than "no". */
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
  readonly text?: string | undefined;
}

export interface Verdict {
  readonly category: Category;
  readonly waitMs?: number | undefined;
}

/** Longer texts are pages, and their start says enough. */
const TEXT_LIMIT = 2000;

/** The row of the table that knows the text. */
export function classifyText(text: string): Verdict {
  const start = text.slice(0, TEXT_LIMIT);
  const row = TEXT_ROWS.find((candidate) => candidate.text.test(start));
  return row === undefined ? { category: 'unknown' } : { category: row.category, waitMs: row.waitMs };
}

const NARROWS_429: ReadonlySet<Category> = new Set(['auth', 'balance', 'moderation']);

/**
 * The category of a refusal or a failed task; an answer for every input. The body's own status words and codes stand before
 * the HTTP status, and free text comes last (grsai-api §11.1), but for one thing: a 429 that speaks of the key, the credits or
 * the policy is no matter of pace.
 */
export function classify({ status, code, taskStatus, reason, text }: Evidence): Verdict {
  if (taskStatus === 'violation') return { category: 'moderation' };
  const byText = classifyText([reason, text].filter(Boolean).join(' '));
  const byCode = code === undefined ? undefined : CODE_ROWS[code];
  if (byCode !== undefined) return { category: byCode };
  const byStatus = status === undefined ? undefined : STATUS_ROWS[status];
  if (byStatus === 'rate_limited' && NARROWS_429.has(byText.category)) return byText;
  if (byStatus !== undefined) return { category: byStatus };
  if (byText.category !== 'unknown') return byText;
  if (status === 403 && text !== undefined) return { category: 'auth' };
  if (taskStatus === 'failed' && (text ?? '').trim() === '') return { category: 'failed' };
  return byText;
}
