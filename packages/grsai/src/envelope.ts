/** A JSON object of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The field as a string without surrounding space, or an empty one; numbers count, since ids and codes come as both. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value.trim();
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : '';
}

/** The last JSON value among the documents of an answer; a `[DONE]` is none. */
export const lastValue = (documents: readonly { readonly value: unknown }[]): unknown =>
  documents.findLast(({ value }) => value !== undefined)?.value;

/** What stands in an answer, out of its envelope. */
export interface Content {
  /** `code` of the envelope, when there is one (upstream.md §5.4); 0 is fine. */
  readonly code: number | undefined;
  readonly fields: Fields;
  /** What upstream says is wrong: `error`, `error.message`, or the envelope's `msg` when its code is not 0. */
  readonly error: string;
  /** A `message` or `msg` without a code: good or bad, which only its words show. */
  readonly remark: string;
  /** Codes and kinds beside the text, as OpenAI and Gemini have them. */
  readonly hints: string;
}

/** Envelopes inside envelopes that are looked through. */
const DEPTH = 3;

/**
 * Takes an answer out of the `{code, msg, data}` envelope that may or may not be there, with the task as `data`, its id as
 * `data.id`, as `id` beside `data`, or as `data` itself (upstream.md §4 rule 3, §12 T4, T5).
 */
export function unwrap(value: unknown): Content {
  let fields = fieldsOf(value);
  let code: number | undefined;
  let msg = '';
  for (let depth = 0; depth < DEPTH && isEnvelope(fields); depth++) {
    const outer = codeOf(fields['code']);
    code = code !== undefined && code !== 0 ? code : (outer ?? code);
    msg = messageOf(fields['msg']) || messageOf(fields['message']) || msg;
    fields = inner(fields);
  }
  const refusal = code !== undefined && code !== 0 ? msg : '';
  const remark = code === undefined ? messageOf(fields['message']) || messageOf(fields['msg']) : '';
  return { code, fields, error: messageOf(fields['error']) || refusal, remark, hints: hintsOf(fields) };
}

/** A list is the one task that was asked for, or its results. */
function fieldsOf(value: unknown): Fields {
  if (!Array.isArray(value)) return isFields(value) ? value : {};
  return soleTask(value) ?? { results: value };
}

const isTask = (value: unknown): value is Fields =>
  isFields(value) && (idOf(value) !== '' || 'status' in value || 'results' in value);

const soleTask = (list: readonly unknown[]): Fields | undefined => (list.length === 1 && isTask(list[0]) ? list[0] : undefined);

/** The id of a task, under any of its names. */
export const idOf = (fields: Fields): string =>
  textOf(fields['id']) || textOf(fields['task_id']) || textOf(fields['taskId']) || '';

function isEnvelope(fields: Fields): boolean {
  const { data } = fields;
  if (isTask(data) || (Array.isArray(data) && soleTask(data) !== undefined && !('results' in fields))) return true;
  return !('status' in fields) && ('data' in fields || ('code' in fields && ('msg' in fields || 'message' in fields)));
}

function inner(outer: Fields): Fields {
  const { data, code: _code, msg: _msg, message: _message, ...beside } = outer;
  const task = Array.isArray(data) ? soleTask(data) : data;
  if (isFields(task)) return { ...beside, ...task, ...(idOf(task) === '' && 'id' in beside ? { id: beside['id'] } : {}) };
  if (Array.isArray(data)) return { data, ...beside };
  const text = textOf(data);
  if (text === '') return beside;
  return text.length <= LONGEST_ID && !/^(?:https?|data):/i.test(text) ? { ...beside, id: text } : { data, ...beside };
}

/** A text in the place of the task is its id; a longer one, or a link, is its result. */
const LONGEST_ID = 200;

/** A code as a number, whichever way it is written. */
export function codeOf(value: unknown): number | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const code = Number(value);
  return value === '' || Number.isNaN(code) ? undefined : code;
}

function hintsOf({ error, promptFeedback }: Fields): string {
  const said = isFields(error)
    ? [error['code'], error['type'], error['status'], error['reason'], ...detailsOf(error['details'])]
    : [];
  const blocked = isFields(promptFeedback) ? [promptFeedback['blockReason']] : [];
  return [...said, ...blocked].filter((each) => typeof each === 'string').join(' | ');
}

const detailsOf = (details: unknown): unknown[] =>
  Array.isArray(details) ? details.filter(isFields).map((detail) => detail['reason']) : [];

/** A text, or the text of an OpenAI-like `{message}` (upstream.md §6.1). */
function messageOf(value: unknown): string {
  if (!isFields(value)) return textOf(value);
  return textOf(value['message']) || textOf(value['type']) || textOf(value['code']);
}
