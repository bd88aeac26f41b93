import type { Reply } from './answer.ts';
import { classifyText } from './classify.ts';
import type { Document } from './documents.ts';
import { textOf, unwrap } from './envelope.ts';
import { isProof } from './refusal.ts';

/** Whether an event says anything about the submit; others in front of it (keep-alives) are passed over. */
export function isAck({ value }: Document): boolean {
  const { fields, error } = unwrap(value);
  return textOf(fields['id']) !== '' || error !== '';
}

const ENDED: ReadonlySet<string> = new Set(['failed', 'violation']);

/**
 * The id of the task that a submit made, or `undefined`. An id is worth more than the words around it: losing one loses a
 * paid task, while the first look at a wrong one tells. So on a 2xx any id counts (grsai-api §11.3), but for an envelope that
 * refuses in words of the table; on another status one that comes with a status word of a task that has not ended.
 */
export function ackId({ documents, status, words }: Reply): string | undefined {
  for (const { value } of documents) {
    const { fields, code, error } = unwrap(value);
    const id = textOf(fields['id']);
    if (id === '') continue;
    const word = textOf(fields['status']).toLowerCase();
    const refused = (code ?? 0) !== 0 && isProof(classifyText(error, words));
    const fine = status < 300 ? !refused : word !== '' && !ENDED.has(word);
    if (fine) return id;
  }
  return undefined;
}
