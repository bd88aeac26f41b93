import type { Reply } from './answer.ts';
import { classifyText } from './classify.ts';
import type { Document } from './documents.ts';
import { lastValue, unwrap } from './envelope.ts';
import { withUpstreamNames } from './field-names.ts';
import { type Fields, isFields, textOf } from './json-values.ts';
import { isPage, isProof } from './refusal.ts';
import { idOf, isTaskIdForm } from './task-id.ts';
import { isFailure, isOngoing, taskOf } from './task-state.ts';

/** Whether an event says anything about the submit; others in front of it (keep-alives) are passed over. */
export function isAck({ value }: Document): boolean {
  const { fields, error } = unwrap(value);
  return idIn(fields) !== '' || error !== '' || taskOf(value, '', '')?.status === 'succeeded';
}

/**
 * The id of the task that a submit made, or `undefined`. An id is worth more than the words around it: losing one loses a
 * paid task, while the first poll of a wrong one shows it. So on a 2xx any id counts (upstream.md §11.3), but for an envelope that
 * refuses in words of the table; on another status one that comes with a status word of a task that has not ended.
 */
export function ackId(reply: Reply): string | undefined {
  const { documents, status, words } = reply;
  for (const document of documents) {
    const { fields, code, error } = unwrap(exact(document));
    const id = idIn(fields);
    if (id === '') continue;
    const word = textOf(fields['status']).toLowerCase();
    const refused = (code ?? 0) !== 0 && isProof(classifyText(error, words));
    const fine = status < 300 ? !refused : word !== '' && !isFailure(word);
    if (fine) return id;
  }
  return status < 300 ? looseId(reply) : undefined;
}

/** Names under which gateways hand on a task, its id, or a list of either. */
const BESIDE = ['task', 'result', 'output', 'response', 'data', 'tasks', 'ids', 'task_ids', 'taskIds', 'list'] as const;

/** The id, or one that stands in an object, a list or a text of another name. */
function idIn(fields: Fields): string {
  const id = idOf(fields) || BESIDE.map((name) => idAt(fields[name])).find((each) => each !== '');
  if (id !== undefined && id !== '') return id;
  // Elsewhere it is the number of the call; beside the word of a task that goes on it can be nothing but the task's.
  return isOngoing(textOf(fields['status'])) ? textOf(fields['request_id']) || textOf(fields['requestId']) : '';
}

function idAt(value: unknown): string {
  if (Array.isArray(value)) return idAt(value[0]);
  if (isFields(value)) return idOf(withUpstreamNames(value));
  const text = textOf(value);
  return isTaskIdForm(text) ? text : '';
}

/** The id in what is no JSON, or is so no longer: cut off behind it, wrapped, or written by hand. */
function looseId({ documents, text, words }: Reply): string | undefined {
  const value = lastValue(documents);
  const bare = typeof value === 'string' ? value.trim() : text.trim();
  if (isTaskIdForm(bare)) return bare;
  if (value !== undefined || isPage(text) || isProof(classifyText(text, words))) return undefined;
  const found = LOOSE_ID.exec(text);
  const id = idOf({ id: found?.[1] ?? found?.[2] });
  return id === '' ? undefined : id;
}

/** A field with a whole value, and not one in a text that repeats the request. */
const LOOSE_ID = /(?<!\\)["'](?:id|task_?id)["']\s*:\s*(?:["']([^"'\\\s]{1,200})["']|(\d{1,30})(?=\s*[,}]))/i;

/** The source text of a value, which Node hands to a reviver and the library's types do not know yet. */
function keepDigits(...[, value, from]: [key: string, value: unknown, from?: { source?: string }]): unknown {
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? from?.source : value;
}

/** An id may be a number that is too large to be one here: then its digits count. */
const exact = ({ text, value }: Document): unknown =>
  value === undefined || !/^[\s\ufeff]*[{[]/.test(text) || !/\d{16}/.test(text)
    ? value
    : JSON.parse(text.replace(/^\ufeff/, ''), keepDigits);
