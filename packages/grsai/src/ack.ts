import type { Reply } from './answer.ts';
import { classifyText } from './classify.ts';
import type { Document } from './documents.ts';
import { type Content, lastValue, unwrap } from './envelope.ts';
import { plainName, withUpstreamNames } from './field-names.ts';
import { type Fields, isFields, parsed, textOf } from './json-values.ts';
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
    const { fields, code, error } = unwrap(document.value);
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
  return isOngoing(textOf(fields['status'])) ? textOf(fields['request_id']) : '';
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
  const bare = [value, ...documents.map((document) => document.text), text].map(textOf).find(isTaskIdForm);
  if (bare !== undefined) return bare;
  if (value !== undefined) return hasFailed(unwrap(value)) ? undefined : soleId(value, words);
  // Words before it that refuse go on with what was sent.
  const lead = text.slice(0, Math.max(0, text.search(/[{[<=]/)));
  const refused = isProof(classifyText(text, words)) || classifyText(lead, words).category !== 'unknown';
  if (isPage(text) || refused) return undefined;
  const found = LOOSE_ID.exec(text);
  const id = idOf({ id: found?.[1] ?? found?.[2] });
  return id === '' ? BARE_ID.exec(text)?.[1] : id;
}

const hasFailed = ({ fields, error }: Content): boolean => error !== '' || isFailure(textOf(fields['status']));

/** A field with a whole value, and not one in a text that repeats the request. */
const LOOSE_ID = /(?<!\\)["'](?:id|task_?id)["']\s*:\s*(?:["']([^"'\\\s]{1,200})["']|(\d{1,30})(?=\s*[,}]))/i;
/** The same in YAML, a form or XML. */
const BARE_ID = /(?:^|[\s&{,<])(?:id|task_?id)\s*[:=>]\s*((?:\d{1,6}-)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?![\w-])/i;

/** Names of ids that are another's, and of what was sent. */
const OTHERS = /request|trace|span|session|user|account|org|client|log|correlation|parent|prompt|input|error/;
/** No answer is nested like this. */
const DEPTH = 8;

/** The only text in the form of an id that an answer has, under whatever names. */
function soleId(value: unknown, words: Reply['words']): string | undefined {
  const found = new Set(formedIds(value, DEPTH).filter((id) => idOf({ id }) !== ''));
  const [id] = found;
  return found.size === 1 && id !== undefined && words?.().texts.includes(id) !== true ? id : undefined;
}

function formedIds(value: unknown, depth: number): string[] {
  if (typeof value === 'string') return isTaskIdForm(value.trim()) ? [value.trim()] : formedIn(parsed(value), value, depth);
  if (typeof value !== 'object' || value === null || depth === 0) return [];
  return Object.entries(value).flatMap(([name, inner]) => (OTHERS.test(plainName(name)) ? [] : formedIds(inner, depth - 1)));
}

const formedIn = (inner: unknown, text: string, depth: number): string[] => (inner === text ? [] : formedIds(inner, depth - 1));
