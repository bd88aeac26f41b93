import { TextDecoder } from 'node:util';
import { ContentCodingError, decode, isCoded } from '@grsai-jobs/grsai/coding';
import { DRAIN_BYTES } from './wire-limits.ts';

/** How much of an answer is kept, as UTF-8. */
export const ANSWER_BYTES = 2_048;
/** So many bytes are enough text in every character set: UTF-16 takes two for a letter of ASCII. */
const ENOUGH_BYTES = 2 * ANSWER_BYTES + 4;

/** What an answer says of its body. */
export interface AnswerHead {
  readonly contentType: string | undefined;
  readonly contentEncoding: string | string[] | undefined;
}

/** How much of a body has to be kept so that its text can be read; a packed one is needed as far as it was read. */
export const keptBytes = ({ contentEncoding }: AnswerHead): number => (isCoded(contentEncoding) ? DRAIN_BYTES : ENOUGH_BYTES);

/**
 * The beginning of an answer as text that can be shown: without content codings, in its own character set, without byte order mark, control
 * characters and marks of direction. Never throws: of a body that cannot be decoded it is what could, or why nothing could.
 */
export function answerText(body: Buffer, head: AnswerHead): string | Promise<string> {
  if (body.length === 0) return '';
  return isCoded(head.contentEncoding) ? packedText(body, head) : textOf(body, head.contentType);
}

async function packedText(body: Buffer, { contentType, contentEncoding }: AnswerHead): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of decode(once(body), contentEncoding)) {
      parts.push(part);
      bytes += part.byteLength;
      if (bytes >= ENOUGH_BYTES) break;
    }
  } catch (error) {
    if (bytes === 0 && error instanceof ContentCodingError) return textOf(Buffer.from(`(${error.message})`), undefined);
  }
  return textOf(Buffer.concat(parts), contentType);
}

async function* once(body: Buffer): AsyncGenerator<Uint8Array> {
  yield body;
}

function textOf(bytes: Buffer, contentType: string | undefined): string {
  // `stream` leaves out a character that the cut went through.
  const text = decoderFor(bytes, contentType).decode(bytes.subarray(0, ENOUGH_BYTES), { stream: true });
  const safe = text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, (sign: string) => (/[\t\r\n]/.test(sign) ? sign : '\ufffd'));
  return new TextDecoder().decode(Buffer.from(safe).subarray(0, ANSWER_BYTES), { stream: true });
}

const MARKS: readonly (readonly [string, readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/** A byte order mark says more than a header, a header more than a page says of itself, as in browsers; the rest is UTF-8. */
function decoderFor(bytes: Buffer, contentType = ''): TextDecoder {
  const marked = MARKS.find(([, mark]) => mark.every((byte, at) => bytes[at] === byte))?.[0];
  const label = marked ?? labelIn(contentType) ?? (/html|^$/i.test(contentType) ? labelOfPage(bytes) : undefined) ?? 'utf-8';
  try {
    return new TextDecoder(label);
  } catch {
    return new TextDecoder();
  }
}

const labelIn = (contentType: string): string | undefined => /;\s*charset\s*=\s*["']?([^\s"';,]+)/i.exec(contentType)?.[1];

const labelOfPage = (bytes: Buffer): string | undefined =>
  /<meta[^>]{1,100}?charset\s*=\s*["']?([\w-]{1,40})/i.exec(bytes.toString('latin1', 0, 1024))?.[1];
