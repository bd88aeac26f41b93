import type { Reply } from './answer.ts';
import { type CallerWords, callerWords } from './caller-words.ts';
import { type Category, classify, MODERATED } from './classify.ts';
import { type Document, DocumentReader } from './documents.ts';
import { type Content, type Fields, isFields, lastValue, textOf, unwrap } from './envelope.ts';
import { type GrsaiError, keepRaw } from './errors.ts';
import { refusal } from './refusal.ts';

/**
 * `violation` also stands for a legacy task that failed by moderation: policy, likely charged (grsai-api §10.4).
 * `missing`: upstream knows no such task: expired, not visible yet, made on the other node, or in another mode than async.
 */
export type TaskStatus = 'running' | 'succeeded' | 'failed' | 'violation' | 'missing';

/** A task as upstream tells it, current or legacy (grsai-api §3.2, §5.3). */
export interface TaskState {
  /** As in the answer; the id that was asked for when the answer has none. */
  readonly id: string;
  readonly status: TaskStatus;
  /** 0–100; may be missing, stand still or fall (grsai-api §12 T11). */
  readonly progress?: number;
  /** http(s) links of the outputs, trimmed; may be empty although `succeeded` (grsai-api §12 T9). They live two hours. */
  readonly urls: readonly string[];
  /** Texts beside the images, in the order of the results that have one. */
  readonly contents?: readonly string[];
  /** What upstream says went wrong; only when the task ended without a result or is missing. */
  readonly error?: string;
  /** Class of `error`; only with `failed` and `violation`. */
  readonly category?: Category;
  /** The answer as text, keys blanked, at most 16 384 characters. */
  readonly raw: string;
}

export const isTerminal = (state: TaskState): boolean => state.status !== 'running' && state.status !== 'missing';

/** Words for the end of a task; all others mean that it is running (grsai-api §3.2, §12 T21). The last three were never seen, only feared. */
const WORDS: ReadonlyMap<string, TaskStatus> = new Map([
  ['running', 'running'],
  ['succeeded', 'succeeded'],
  ['failed', 'failed'],
  ['violation', 'violation'],
  ['success', 'succeeded'],
  ['completed', 'succeeded'],
  ['failure', 'failed'],
]);

/** Says that the id is unknown (grsai-api §4, §5.4). */
const MISSING = /(?:result|task) not exist/i;
const MISSING_CODE = -22;

/**
 * The task of an answer to a query, or the error to throw in its place: a refusal, or an answer that tells nothing, to be
 * asked again. The body is believed before the HTTP status (grsai-api §4 rule 1): a 400 can be the answer about the task.
 */
export function readTask(reply: Reply, askedId: string): TaskState | GrsaiError {
  const known = lastTask(reply, askedId);
  if (known !== undefined) return known;
  const content = unwrap(lastValue(reply.documents));
  if (isMissing(reply, content)) {
    return {
      id: askedId,
      status: 'missing',
      urls: [],
      raw: keepRaw(reply.text),
      ...(content.error === '' ? {} : { error: content.error }),
    };
  }
  return refusal(reply, { query: true });
}

/** Whether an event says anything about a task that was asked for; others in front of it (keep-alives) are passed over. */
export const isTaskAnswer = ({ value, text }: Document): boolean =>
  taskOf(value, text, '') !== undefined || unwrap(value).error !== '' || (unwrap(value).code ?? 0) !== 0;

/** The task of the last value that has one. */
export function lastTask(reply: Reply, askedId: string): TaskState | undefined {
  for (const { value } of [...reply.documents].reverse()) {
    const state = taskOf(value, reply.text, askedId, reply.words);
    if (state !== undefined) return state;
  }
  return undefined;
}

/**
 * A task from any text: what a legacy webhook delivers (grsai-api §5.2), or an answer kept from elsewhere. Never throws;
 * `undefined` when there is no task in it.
 */
export const parseTaskState = (text: string, askedId = ''): TaskState | undefined => lastIn(text, askedId);

function lastIn(text: string, askedId: string, words?: () => CallerWords): TaskState | undefined {
  const reader = new DocumentReader();
  for (const { value } of [...reader.feed(text), ...reader.finish()].reverse()) {
    const state = taskOf(value, text, askedId, words);
    if (state !== undefined) return state;
  }
  return undefined;
}

/**
 * The same task, its failure judged again by what is not in the caller's words (`supplied`: any JSON value with them): an answer to
 * `images.result` may repeat them, and whoever asks for it mostly does not have them.
 */
export function judgeTask(task: TaskState, supplied: unknown): TaskState {
  if (task.status !== 'failed' && task.status !== 'violation') return task;
  const words = callerWords(supplied);
  const again = lastIn(task.raw, task.id, words);
  if (again !== undefined && isTerminal(again)) return { ...again, raw: task.raw };
  // What is kept of a long answer may be no JSON any more.
  const { category } = classify({ text: task.error }, words);
  return task.category === category ? task : { ...task, status: 'failed', category };
}

/** The task in a JSON value, `undefined` when the value is about none. */
export function taskOf(value: unknown, text: string, askedId: string, words?: () => CallerWords): TaskState | undefined {
  const content = unwrap(value);
  const { fields, code } = content;
  const urls = urlsOf(fields);
  const id = textOf(fields['id']);
  const status = statusOf(fields, urls, id, content);
  if (status === undefined) return undefined;
  const base = { id: id || askedId, urls, raw: keepRaw(text), ...progressOf(fields), ...contentsOf(fields) };
  if (status !== 'failed' && status !== 'violation') return { ...base, status };
  const reason = textOf(fields['failure_reason']);
  const { category } = classify({ code, taskStatus: status, reason, hints: content.hints, text: content.error }, words);
  if (id === '' && (category === 'auth' || category === 'balance')) return undefined;
  const error = content.error || reason;
  return { ...base, status: category === 'moderation' ? 'violation' : 'failed', category, ...(error === '' ? {} : { error }) };
}

/** No status word at all: links mean that it is done, an id and nothing wrong that it is running. */
function statusOf(fields: Fields, urls: readonly string[], id: string, { code, error }: Content): TaskStatus | undefined {
  const word = textOf(fields['status']).toLowerCase();
  if (word !== '') {
    const status = WORDS.get(word) ?? 'running';
    return status === 'failed' && MODERATED.has(textOf(fields['failure_reason'])) ? 'violation' : status;
  }
  if (urls.length > 0) return 'succeeded';
  return id !== '' && error === '' && (code ?? 0) === 0 ? 'running' : undefined;
}

const isMissing = ({ status, documents }: Reply, { code, error }: Content): boolean =>
  code === MISSING_CODE || MISSING.test(error) || (status === 404 && lastValue(documents) !== undefined);

function progressOf(fields: Fields): { progress?: number } {
  const progress = fields['progress'];
  if (typeof progress !== 'number' || !Number.isFinite(progress)) return {};
  return { progress: Math.min(100, Math.max(0, progress)) };
}

const resultsOf = (fields: Fields): readonly Fields[] =>
  Array.isArray(fields['results']) ? fields['results'].filter(isFields) : [];

function urlsOf(fields: Fields): readonly string[] {
  const urls = resultsOf(fields).map((result) => linkOf(result['url']));
  const found = urls.filter((url) => url !== '');
  const older = linkOf(fields['url']);
  return found.length === 0 && older !== '' ? [older] : found;
}

/** Links come wrapped in spaces, quotes or back-ticks (grsai-api §12 T10). */
export function linkOf(value: unknown): string {
  const link = textOf(value).replace(/^[\s`'"<]+|[\s`'">]+$/g, '');
  return /^https?:\/\//i.test(link) && URL.canParse(link) ? link : '';
}

function contentsOf(fields: Fields): { contents?: readonly string[] } {
  const contents = resultsOf(fields).map((result) => textOf(result['content']));
  const found = contents.filter((content) => content !== '');
  return found.length === 0 ? {} : { contents: found };
}
