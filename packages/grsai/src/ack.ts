import type { Reply } from './answer.ts';
import { classifyText } from './classify.ts';
import type { Document } from './documents.ts';
import { type Fields, idOf, isFields, textOf, unwrap } from './envelope.ts';
import { isProof } from './refusal.ts';
import { isFailure, taskOf } from './task-state.ts';

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
export function ackId({ documents, status, words }: Reply): string | undefined {
  for (const document of documents) {
    const { fields, code, error } = unwrap(exact(document));
    const id = idIn(fields);
    if (id === '') continue;
    const word = textOf(fields['status']).toLowerCase();
    const refused = (code ?? 0) !== 0 && isProof(classifyText(error, words));
    const fine = status < 300 ? !refused : word !== '' && !isFailure(word);
    if (fine) return id;
  }
  return undefined;
}

/** The id, or that of an object which other gateways put around a task. */
const idIn = (fields: Fields): string =>
  idOf(fields) ||
  (['task', 'result', 'output', 'response']
    .map((name) => fields[name])
    .filter(isFields)
    .map(idOf)
    .find(Boolean) ??
    '');

/** The source text of a value, which Node hands to a reviver and the library's types do not know yet. */
function keepDigits(...[, value, from]: [key: string, value: unknown, from?: { source?: string }]): unknown {
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? from?.source : value;
}

/** An id may be a number that is too large to be one here: then its digits count. */
const exact = ({ text, value }: Document): unknown =>
  value === undefined || !/^[\s\ufeff]*[{[]/.test(text) || !/\d{16}/.test(text)
    ? value
    : JSON.parse(text.replace(/^\ufeff/, ''), keepDigits);
