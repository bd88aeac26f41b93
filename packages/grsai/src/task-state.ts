import type { Reply } from './answer.ts';
import { type CallerWords, callerWords } from './caller-words.ts';
import { type Category, classify, MODERATED } from './classify.ts';
import { type Document, DocumentReader } from './documents.ts';
import { type Content, lastValue, unwrap } from './envelope.ts';
import { type GrsaiError, keepRaw } from './errors.ts';
import { type Fields, isFields, textOf } from './json-values.ts';
import { linksAt, type Output, outputsOf, urlsOf } from './outputs.ts';
import { refusal } from './refusal.ts';
import { idOf } from './task-id.ts';

/**
 * `violation` also stands for a legacy task that failed by moderation: policy, likely charged (upstream.md §10.4).
 * `missing`: upstream knows no such task: expired, not visible yet, made on the other node, or in another mode than async.
 */
export type TaskStatus = 'running' | 'succeeded' | 'failed' | 'violation' | 'missing';

/** A task as upstream describes it; also in the shape of the legacy API (upstream.md §3.2, §5.3), which answers may have. */
export interface TaskState {
  /** As in the answer; the id that was asked for when the answer has none. */
  readonly id: string;
  readonly status: TaskStatus;
  /** 0–100; may be missing, stand still or fall (upstream.md §12 T11). */
  readonly progress?: number;
  /** What the task made, in order; may be empty although `succeeded` (upstream.md §12 T9). */
  readonly outputs: readonly Output[];
  /** The links among them, as a browser would ask for them. They live two hours. */
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

/** Never seen as the end of a task, but clients guard against them. A gateway says `error` of itself too, but names no task. */
const FEARED: ReadonlySet<string> = new Set([
  'failure',
  'fail',
  'error',
  'canceled',
  'cancelled',
  'timeout',
  'timed_out',
  'rejected',
  'aborted',
  'expired',
  'terminated',
  'exception',
]);

/** The same in Chinese, and with what stands before it. */
const FEARED_ZH = /^(?:生成|任[务務]|[处處]理|[执執]行|[图圖]片生成)?(?:失[败敗]|[错錯][误誤]|已取消|超[时時])$/;

/** A word as it is judged: without case, and without the name of its kind in front (`TASK_STATUS_FAILED`). */
const plainWord = (word: string): string =>
  word
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_')
    .replace(/^(?:task|job|generation)_(?:status_|state_)?|^status_/, '');

/** Words for the end of a task; all others mean that it is running (upstream.md §3.2, §12 T21). */
const WORDS: ReadonlyMap<string, TaskStatus> = new Map([
  ['running', 'running'],
  ['succeeded', 'succeeded'],
  ['failed', 'failed'],
  ...['violation', 'violated', 'policy_violation', 'content_violation', 'moderated', 'nsfw', '违规', '違規'].map(
    (word) => [word, 'violation'] as const,
  ),
  ...['success', 'succeed', 'completed', 'complete', 'finished', 'done'].map((word) => [word, 'succeeded'] as const),
  ...[...FEARED].map((word) => [word, 'failed'] as const),
]);

/** Words that nobody has seen may mean the end, where the outputs are there; these mean that more is to come. */
const ONGOING = /queu|pend|process(?!ed)|progress|run|start|wait|submi|generat(?!ed)|creat|partial|stream|draft|preview|中/i;

/** The picture is not the last of its task, however far that says it has come. */
const UNFINISHED = /partial|stream|draft|preview|部分/i;

/** Whether a word says that a task goes on. */
export const isOngoing = (word: string): boolean => word !== '' && !isFailure(word) && ONGOING.test(word);

/** Says that the id is unknown (upstream.md §4, §5.4). */
const MISSING =
  /(?:result|task)s? (?:(?:does|do|is) )?not (?:exist|found)|(?:任[务務]|[结結]果)[^,，。]{0,6}(?:不存在|未找到|已[过過]期)/i;
const MISSING_CODE = -22;

/**
 * The task of an answer to a query, or the error to throw in its place: a refusal, or an answer that says nothing, to be
 * asked again. The body is believed before the HTTP status (upstream.md §4 rule 1): a 400 can be the answer about the task.
 */
export function readTask(reply: Reply, askedId: string): TaskState | GrsaiError {
  const known = lastTask(reply, askedId);
  if (known !== undefined) return known;
  const content = unwrap(lastValue(reply.documents));
  if (isMissing(reply, content)) {
    return {
      id: askedId,
      status: 'missing',
      outputs: [],
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
    if (state !== undefined) return { ...state, ...linked(linksAt(state.outputs, reply.base ?? '')) };
  }
  return undefined;
}

/** The task of the last value in a text that has one. */
function lastIn(text: string, askedId: string, words: () => CallerWords): TaskState | undefined {
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
  const id = idOf(fields);
  const word = plainWord(textOf(fields['status']));
  if (id === '' && isFeared(word)) return undefined;
  const said = statusOf(word, fields);
  const outputs = outputsOf(fields, said === 'succeeded');
  const progress = progressOf(fields);
  const done = outputs.length > 0 && content.error === '' && isDone(word, said, progress.progress);
  const status = done ? 'succeeded' : (said ?? statusWithoutWord(outputs, id, content));
  if (status === undefined) return undefined;
  const base = { id: id || askedId, ...linked(outputs), raw: keepRaw(text), ...progress, ...contentsOf(fields) };
  if (status !== 'failed' && status !== 'violation') return { ...base, status };
  const reason = textOf(fields['failure_reason']);
  const why = content.error || content.remark;
  const { category } = classify({ code, taskStatus: status, reason, hints: content.hints, text: why }, words);
  if (id === '' && (category === 'auth' || category === 'balance')) return undefined;
  const error = why || reason;
  return { ...base, status: category === 'moderation' ? 'violation' : 'failed', category, ...(error === '' ? {} : { error }) };
}

const isFeared = (word: string): boolean => FEARED.has(word) || FEARED_ZH.test(word);

/** Whether a task whose word is none of an end has ended all the same, since its outputs are there. */
function isDone(word: string, said: TaskStatus | undefined, progress: number | undefined): boolean {
  if (said !== 'running') return false;
  if (!ONGOING.test(word)) return (progress ?? 100) >= 100;
  return progress === 100 && !UNFINISHED.test(word);
}

const linked = (outputs: readonly Output[]): Pick<TaskState, 'outputs' | 'urls'> => ({
  outputs,
  urls: urlsOf(outputs),
});

function statusOf(word: string, fields: Fields): TaskStatus | undefined {
  if (word === '') return undefined;
  const status = isFeared(word) ? 'failed' : (WORDS.get(word) ?? 'running');
  return status === 'failed' && MODERATED.has(textOf(fields['failure_reason'])) ? 'violation' : status;
}

/** No status word at all: outputs mean that it is done, an id and nothing wrong that it is running. */
function statusWithoutWord(outputs: readonly Output[], id: string, { code, error, fields }: Content): TaskStatus | undefined {
  // A refusal may have a link too, to its explanation.
  if (outputs.length > 0 && (error === '' || 'results' in fields)) return 'succeeded';
  return id !== '' && error === '' && (code ?? 0) === 0 ? 'running' : undefined;
}

/** Whether a word says that a task has ended without a result. */
export const isFailure = (word: string): boolean => ['failed', 'violation'].includes(statusOf(plainWord(word), {}) ?? '');

const isMissing = ({ status, documents }: Reply, { code, error }: Content): boolean =>
  code === MISSING_CODE || MISSING.test(error) || (status === 404 && lastValue(documents) !== undefined);

function progressOf(fields: Fields): { progress?: number } {
  const progress = Number.parseFloat(textOf(fields['progress']));
  return Number.isFinite(progress) ? { progress: Math.min(100, Math.max(0, progress)) } : {};
}

function contentsOf(fields: Fields): { contents?: readonly string[] } {
  const results = [fields['results']].flat().filter(isFields);
  const found = results.map((result) => textOf(result['content'])).filter((content) => content !== '');
  return found.length === 0 ? {} : { contents: found };
}
