import { plainName, withUpstreamNames } from './field-names.ts';
import { type Fields, isFields, parsed, textOf } from './json-values.ts';
import { isBareFlag, saysAllWell, wordsOf } from './said-words.ts';
import { idOf, isIdText, isTaskIdForm } from './task-id.ts';

/** The last JSON value among the documents of an answer; a `[DONE]` is none. */
export const lastValue = (documents: readonly { readonly value: unknown }[]): unknown =>
  documents.findLast(({ value }) => value !== undefined)?.value;

/** What stands in an answer, out of its envelope. */
export interface Content {
  /** `code` of the envelope, when there is one (upstream.md §5.4); 0 is fine, and so is what stands beside words that say so. */
  readonly code: number | undefined;
  readonly fields: Fields;
  /** What upstream says is wrong: `error`, `error.message`, or the envelope's `msg` when its code is not 0. */
  readonly error: string;
  /** A `message` or `msg` without a code that says no: good or bad, which only its words show. */
  readonly remark: string;
  /** Codes and kinds beside the text, as OpenAI and Gemini have them. */
  readonly hints: string;
}

/** Envelopes inside envelopes that are looked through. */
const DEPTH = 4;

/**
 * Takes an answer out of the `{code, msg, data}` envelope that may or may not be there, with the task as `data`, its id as
 * `data.id`, as `id` beside `data`, or as `data` itself (upstream.md §4 rule 3, §12 T4, T5), and whichever way the names are spelled.
 */
export function unwrap(value: unknown): Content {
  let fields = fieldsOf(value);
  let code: number | undefined;
  let said = '';
  let no = false;
  const hints: string[] = [];
  for (let depth = 0; ; depth++) {
    code = worse(code, codeOf(fields['code']));
    said = remarkIn(fields) || said;
    no ||= saysNo(fields);
    hints.push(...hintsOf(fields));
    const inside = depth < DEPTH ? inner(fields, refuses(code, said)) : undefined;
    if (inside === undefined) break;
    fields = inside;
  }
  const refused = refuses(code, said) || (no && !saysAllWell(said));
  const words = refused && isText(fields['data']) && (said === '' || isBareFlag(said)) ? textOf(fields['data']) : said;
  return {
    code: code !== undefined && !refused ? 0 : code,
    fields,
    error: errorIn(fields, words) || (refused ? words : ''),
    remark: refused || saysAllWell(words) ? '' : words,
    hints: hints.join(' | '),
  };
}

const worse = (code: number | undefined, next: number | undefined): number | undefined =>
  code !== undefined && code !== 0 ? code : (next ?? code);

/** A code of HTTP that is fine is fine here too, and so is one beside words that say so. */
const refuses = (code: number | undefined, said: string): boolean =>
  code !== undefined && code !== 0 && !(code >= 200 && code < 300) && (said === '' || !saysAllWell(said));

const SUCCESS: ReadonlySet<string> = new Set(['success', 'issuccess', 'succeed', 'ok']);

/** A call that failed by its own word, with no task to which the word could belong. */
export const saysNo = (fields: Fields): boolean =>
  Object.entries(fields).some(([name, value]) => (value === false || value === 'false') && SUCCESS.has(plainName(name))) ||
  (idOf(fields) === '' && /^(?:err(?:or)?|fail(?:ure)?)$/i.test(textOf(fields['status'])));

const remarkIn = (fields: Fields): string => {
  const { message, msg } = fields;
  const texts = [message, msg].map((each) => (typeof each === 'string' ? each.trim() : wordsOf(each)));
  return texts.find((text) => text !== '') ?? '';
};

/** What `error` says; where that is a mere yes, or a code without words, what is said beside it. */
function errorIn({ error }: Fields, beside: string): string {
  const words = wordsOf(error);
  const bare = error === true || isBareFlag(words) || (isFields(error) && words === textOf(error['code']));
  if (!bare) return words;
  return saysAllWell(beside) ? words : beside;
}

const isText = (value: unknown): boolean => typeof value === 'string';

/** A list is the one task that was asked for, or its results. */
function fieldsOf(value: unknown): Fields {
  if (!Array.isArray(value)) return isFields(value) ? withUpstreamNames(value) : {};
  const [only] = value as unknown[];
  const sole = soleTask(value) ?? (value.length === 1 && isFields(only) && 'error' in only ? only : undefined);
  return sole === undefined ? { results: value } : withUpstreamNames(sole);
}

function isTask(value: unknown): value is Fields {
  if (!isFields(value)) return false;
  const fields = withUpstreamNames(value);
  return idOf(fields) !== '' || 'status' in fields || 'results' in fields;
}

const soleTask = (list: readonly unknown[]): Fields | undefined => (list.length === 1 && isTask(list[0]) ? list[0] : undefined);

/** Names that the object around a task has, beside `data`. */
const AROUND = ['task', 'result', 'response', 'body', 'payload', 'output', 'job', 'record', 'item'] as const;

/** What is in the envelope, with what stands beside it; `undefined` when there is none. */
function inner(fields: Fields, refused: boolean): Fields | undefined {
  const data = parsed(fields['data']);
  if (isTask(data)) return within(fields, 'data', data);
  if (Array.isArray(data) && soleTask(data) !== undefined && !('results' in fields)) return within(fields, 'data', data[0]);
  for (const name of AROUND) {
    const value = parsed(fields[name]);
    if (isFields(value) && isAround(fields, value)) return within(fields, name, value);
  }
  if (isIdHere(data, fields, refused)) return { ...outside(fields, 'data'), id: textOf(data) };
  const other = idOf(fields) === '' && !('status' in fields) ? taskUnderAnyName(fields) : undefined;
  if (other !== undefined) return other;
  return isFields(data) && !('status' in fields) ? within(fields, 'data', data) : undefined;
}

/** Names of what was sent, which an answer may repeat. */
const SENT = /request|input|prompt|param|query|option|echo/;

/** A whole task, alone or as a list of one, in an object that says nothing of a task itself. */
function taskUnderAnyName(fields: Fields): Fields | undefined {
  for (const [name, each] of Object.entries(fields)) {
    const value: unknown = Array.isArray(each) && each.length === 1 ? each[0] : each;
    if (isFields(value) && isWholeTask(withUpstreamNames(value)) && !SENT.test(plainName(name)))
      return within(fields, name, value);
  }
  return undefined;
}

const isWholeTask = (task: Fields): boolean => typeof task['status'] === 'string' && (idOf(task) !== '' || 'results' in task);

/** Whether a task stands in an object that says nothing of a task itself. */
function isAround(outer: Fields, value: Fields): boolean {
  const task = withUpstreamNames(value);
  if (isWholeTask(task)) return true;
  return idOf(outer) === '' && !('status' in outer) && (isTask(task) || 'data' in task) && !('url' in task);
}

/** A text in the place of the task is its id; where the envelope refuses, only one in the form of an id. */
function isIdHere(data: unknown, outer: Fields, refused: boolean): boolean {
  const text = textOf(data);
  return text !== '' && idOf(outer) === '' && (refused ? isTaskIdForm(text) : isIdText(text));
}

function within(outer: Fields, name: string, value: Fields): Fields {
  const task = withUpstreamNames(value);
  const beside = outside(outer, name);
  const id = idOf(task) || idOf(beside);
  return { ...beside, ...task, ...(id === '' ? {} : { id }) };
}

/** What stands in an envelope, beside the task in it. */
function outside(outer: Fields, name: string): Fields {
  const { code: _code, msg: _msg, message: _message, [name]: _task, status, ...beside } = outer;
  return !('status' in outer) || (idOf(beside) === '' && isOfEnvelope(status)) ? beside : { ...beside, status };
}

/** A status of the call, and not of a task: a number, or a word that says that it went well. */
const isOfEnvelope = (status: unknown): boolean =>
  typeof status !== 'string' || /^\d*$/.test(status.trim()) || saysAllWell(status.trim());

/** A code as a number, whichever way it is written. */
export function codeOf(value: unknown): number | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const code = Number(value);
  return value === '' || Number.isNaN(code) ? undefined : code;
}

function hintsOf({ code, error, promptFeedback }: Fields): string[] {
  const named = codeOf(code) === undefined ? [code] : [];
  const said = isFields(error)
    ? [error['code'], error['type'], error['status'], error['reason'], ...detailsOf(error['details'])]
    : [];
  const blocked = isFields(promptFeedback) ? [promptFeedback['blockReason']] : [];
  return [...named, ...said, ...blocked].filter((each) => typeof each === 'string' && !saysAllWell(each)) as string[];
}

const detailsOf = (details: unknown): unknown[] =>
  Array.isArray(details) ? details.filter(isFields).map((detail) => detail['reason']) : [];
