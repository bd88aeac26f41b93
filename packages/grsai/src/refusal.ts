import type { Reply } from './answer.ts';
import { type Category, classify, classifyText, type Verdict } from './classify.ts';
import { lastValue, unwrap } from './envelope.ts';
import { GrsaiAnswerError, type GrsaiError, type GrsaiErrorInit, GrsaiRefusedError } from './errors.ts';
import { textOf } from './json-values.ts';
import { idOf } from './task-id.ts';

/** Texts of these say that nothing was made, or that it is over, whatever the status around them (upstream.md §11.1). */
const PROOF: ReadonlySet<Category> = new Set(['auth', 'balance', 'moderation', 'input', 'model']);

export const isProof = ({ category, sure }: Verdict): boolean => sure === true && PROOF.has(category);

/** With 408 and 5xx less counts as proof: there the words may be those of a machine in between. */
const PROOF_5XX: ReadonlySet<Category> = new Set(['auth', 'balance', 'input', 'model']);

/** Statuses of a server that does not know the path, or sends elsewhere: nobody follows a call that makes a task. */
const NOWHERE: ReadonlySet<number> = new Set([301, 302, 303, 307, 308, 404, 405, 410, 421]);

/** A second call may work, and the first made nothing that is charged. */
const REPEAT: ReadonlySet<Category> = new Set(['transient', 'rate_limited', 'failed']);

/** A page of a machine in between, whose words say nothing about the call. */
export const isPage = (text: string): boolean => HTML.test(text);

const HTML = /^\s*<(?:!doctype|html|head|body|\?xml|!--)/i;

/** JSON that stops before its end: its words may be names of fields, or what a model has said. */
const BEGUN_JSON = /^\s*(?:data:\s*)?[{[]/;

export interface Asked {
  /** A question about a task, not a call that makes one: an answer that says nothing is asked for again. */
  readonly query?: boolean;
}

/**
 * The error for an answer that is not what was asked for (upstream.md §11.3). Total: every reply has one. Order: what the body
 * says, then the HTTP status, then free text.
 */
export function refusal(reply: Reply, { query = false }: Asked = {}): GrsaiError {
  const { status } = reply;
  const said = readRefusal(reply);
  const { category, waitMs, suspect, sure, busy } = judge(reply, said);
  const facts = {
    status,
    raw: reply.text,
    base: reply.base,
    retryAfterMs: reply.retryAfterMs ?? waitMs,
    category,
    suspect,
    busy: reply.begun ? undefined : busy,
    ...(said.taskId === '' ? {} : { taskId: said.taskId }),
  };
  const repeat = query || reply.repeatable;

  const gaveUp = status === 408 || status >= 500;
  const proven = gaveUp ? said.json && sure === true && PROOF_5XX.has(category) : said.readable && PROOF.has(category);
  if (said.ended || proven) return refused(facts, said, repeat);
  if (gaveUp) {
    const outcome = reply.lost;
    const retryable = repeat || outcome === 'not_sent';
    return new GrsaiRefusedError({ ...facts, code: 'server_error', outcome, retryable, message: says(status, said.words) });
  }
  if (status >= 300 || (said.readable && said.words !== '')) return refused(facts, said, repeat);
  return unreadable(reply, facts, repeat, query);
}

/** A refusal whose words were cut off made nothing and may have been a passing one, so it may be repeated. */
function judge({ status, cut, words }: Reply, said: Said): Verdict {
  const verdict = classify({ status, ...said }, words);
  const lostWords = cut !== undefined && status >= 300 && status < 500 && verdict.category === 'unknown';
  if (lostWords) return { category: 'transient' };
  return verdict.category === 'unknown' && NOWHERE.has(status) ? { ...verdict, suspect: verdict.suspect ?? 'address' } : verdict;
}

interface Said {
  readonly code: number | undefined;
  readonly taskStatus: string | undefined;
  readonly reason: string | undefined;
  readonly hints: string;
  /** `undefined` when the body is a page, whose words say nothing about the call. */
  readonly text: string | undefined;
  /** The same, or what else says no. */
  readonly words: string | undefined;
  readonly taskId: string;
  readonly json: boolean;
  /** The body says no by itself: JSON, or a text that is no page. */
  readonly readable: boolean;
  /** A task is named that has ended. */
  readonly ended: boolean;
}

/** An answer without JSON: a page, a plain text (legacy, upstream.md §5.2), or something cut off. */
function readPlain({ text, status, shape, cut, words }: Reply): Said {
  const page = isPage(text);
  const plain = page ? undefined : text.trim().slice(0, 500);
  // On a 200 it is a refusal only where the table knows the text: half a JSON or a stray word proves nothing.
  const bare = shape === 'other' ? !BEGUN_JSON.test(text) : shape === 'events' && !/[{[]/.test(text);
  const whole = bare && cut === undefined;
  const readable = !page && (status >= 300 || (whole && isProof(classify({ text: plain }, words))));
  return {
    code: undefined,
    taskStatus: undefined,
    reason: undefined,
    hints: '',
    text: plain,
    words: plain,
    taskId: '',
    json: false,
    readable,
    ended: false,
  };
}

function readRefusal(reply: Reply): Said {
  const value = lastValue(reply.documents);
  if (value === undefined) return readPlain(reply);
  const { code, fields, error, remark, hints } = unwrap(value);
  const taskStatus = textOf(fields['status']).toLowerCase();
  const reason = textOf(fields['failure_reason']);
  const taskId = idOf(fields);
  const over = taskStatus === 'failed' || taskStatus === 'violation';
  const refusing = code !== undefined && code !== 0;
  const text = error || (reply.status >= 300 || over || classifyText(remark, reply.words).sure === true ? remark : '');
  return {
    code,
    taskStatus: taskStatus || undefined,
    reason: reason || undefined,
    hints,
    text,
    words: text || reason || (refusing ? `code ${code}` : over ? taskStatus : ''),
    taskId,
    json: true,
    readable: true,
    ended: over && (taskId !== '' || reply.status < 500),
  };
}

type Facts = Omit<GrsaiErrorInit, 'code' | 'outcome' | 'message'>;

function refused(facts: Facts, said: Said, repeat: boolean): GrsaiError {
  const category = facts.category ?? 'unknown';
  const code = category === 'rate_limited' ? 'rate_limited' : 'refused';
  const retryable = REPEAT.has(category) || (repeat && category === 'unknown' && !said.json);
  return new GrsaiRefusedError({ ...facts, code, outcome: 'refused', retryable, message: says(facts.status, said.words) });
}

function unreadable(reply: Reply, facts: Facts, repeat: boolean, query: boolean): GrsaiError {
  const { cut, shape, documents } = reply;
  const json = lastValue(documents) !== undefined;
  const silent = cut === undefined && (shape === 'empty' || json);
  const what = cut?.message ?? (shape === 'empty' ? 'an empty answer' : json ? 'JSON without what was asked for' : 'no JSON');
  const outcome = reply.lost;
  return new GrsaiAnswerError({
    ...facts,
    category: 'unknown',
    code: cut?.code ?? 'unreadable_answer',
    outcome,
    retryable: cut?.code !== 'aborted' && (repeat || outcome === 'not_sent'),
    needsKeyProbe: silent && !query && outcome === 'unknown' && facts.taskId === undefined,
    message: `HTTP ${facts.status}: ${what}`,
    ...(cut === undefined ? {} : { cause: cut }),
  });
}

const says = (status: number | undefined, text: string | undefined): string =>
  `HTTP ${status}${text === undefined ? ': a page' : text === '' ? '' : `: ${text.slice(0, 300)}`}`;
