import { createHash } from 'node:crypto';
import type { JobError } from './job/job.ts';

/** What failures have in common that have one cause: where, how, and in which words. */
export interface Signature {
  /** `sig_` and 16 hex digits, made of the other fields: the same failure has the same id in every process. */
  id: string;
  stage: JobError['stage'];
  code: JobError['code'];
  upstream_status: number | null;
  /** What upstream said, else our own message, without what differs from job to job. */
  text: string;
}

/** Texts are cut before they are looked at and after, so that a long answer costs no more than a short one. */
const READ_AT_MOST = 2000;
const KEEP_AT_MOST = 200;

/**
 * What differs between two failures of one cause, in the order that it is replaced in. Numbers, hex and ids have one name:
 * eight digits may be any of them.
 */
const VARIABLE: readonly (readonly [RegExp, string])[] = [
  [/\bdata:[a-z0-9/+.-]+;base64,[a-z0-9+/=]*/gi, '<url>'],
  [/\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s"'`<>]+/gi, '<url>'],
  [/"[^"\n]*"|“[^”\n]*”|「[^」\n]*」|`[^`\n]*`/g, '<quoted>'],
  // An apostrophe inside a word is no quote.
  [/(?<![\p{L}\p{N}_])'[^'\n]*'(?![\p{L}\p{N}_])/gu, '<quoted>'],
  [/(?<![\w-])\d+(?:[.,:]\d+)*(?![\w-]|[.,:]\d)/g, '<n>'],
  // job_01K9…, 14-5a0e8c…, 5f3a9c01: a long word with a digit in it. Words such as "defaced" stay.
  [/(?<![\w-])(?=[a-z_-]*\d)[\w-]{8,}/gi, '<n>'],
  [/\b0x[0-9a-f]+\b/gi, '<n>'],
  [/\d+(?:[.,:]\d+)*/g, '<n>'],
  [/\s+/g, ' '],
];

/** A key of JSON and the string behind it; the last may be cut off. */
const JSON_STRING = /"([^"\\]*)"\s*:\s*"((?:[^"\\]|\\.)*)/g;
/** Keys whose strings name something and say nothing: they are left out beside others. */
const NAMES: ReadonlySet<string> = new Set(['id', 'status']);

/** What a JSON answer says, without its keys, also one that was cut off; other texts as they are. */
export function wordsOf(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  const found = [...text.matchAll(JSON_STRING)]
    .map(([, key = '', inside = '']) => ({ key, words: unescaped(inside) }))
    .filter(({ words }) => words !== '');
  const telling = found.filter(({ key }) => !NAMES.has(key));
  const said = telling.length > 0 ? telling : found;
  return said.length > 0 ? said.map(({ words }) => words).join(' ') : text;
}

function unescaped(inside: string): string {
  try {
    return JSON.parse(`"${inside}"`) as string;
  } catch {
    return inside;
  }
}

/** A text without numbers, ids, links, hex and quoted parts. */
function withoutVariables(text: string): string {
  const plain = VARIABLE.reduce((left, [pattern, name]) => left.replaceAll(pattern, name), wordsOf(text.slice(0, READ_AT_MOST)));
  return plain.trim().slice(0, KEEP_AT_MOST).trimEnd();
}

/** Groups failures: the same for two that differ only in numbers, ids, links, hex or quoted parts. */
export function signatureOf(error: Pick<JobError, 'stage' | 'code' | 'message' | 'upstream'>): Signature {
  const { stage, code } = error;
  const upstream_status = error.upstream?.status ?? null;
  const text = withoutVariables(error.upstream?.message || error.message);
  const digest = createHash('sha256')
    .update(JSON.stringify([stage, code, upstream_status, text]))
    .digest('hex');
  return { id: `sig_${digest.slice(0, 16)}`, stage, code, upstream_status, text };
}

/** The form of {@link Signature.id}. */
export const SIGNATURE = /^sig_[0-9a-f]{16}$/;
