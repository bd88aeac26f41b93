import type { ByteReader } from './byte-reader.ts';

/** So many bytes of text without a control character are none that any coding made. */
const HEAD = 32;

/** First bytes of the files that upstream hands out, as latin1. */
const FILES = ['\x89PNG\r\n\x1a\n', '\xff\xd8\xff', 'GIF8', 'RIFF', '\x00\x00\x00'] as const;

/**
 * Whether a body is plain although its header names a coding: servers exist that name one and use none, and that write a character set or a
 * transfer encoding where a coding belongs. Reads on only while the bytes may still be plain.
 */
export async function isPlain(input: ByteReader): Promise<boolean> {
  for (let count = 1; ; count = input.ready.length + 1) {
    const ended = !(await input.need(count));
    const head = input.ready.subarray(0, HEAD);
    const verdict = judge(head);
    if (verdict !== 'maybe') return verdict === 'yes';
    if (ended || head.length === HEAD) return isDocument(head, ended);
  }
}

function judge(head: Buffer): 'yes' | 'no' | 'maybe' {
  const latin1 = head.toString('latin1');
  const files = FILES.filter((magic) => magic.startsWith(latin1.slice(0, magic.length)));
  if (files.some((magic) => latin1.startsWith(magic) && isFile(latin1, magic))) return 'yes';
  if (files.length > 0 && latin1.length < 12) return 'maybe';
  return textOf(head) === undefined ? 'no' : 'maybe';
}

/** Three bytes alone, or four letters, could be an accident. */
function isFile(head: string, magic: string): boolean {
  if (magic === 'RIFF') return head.slice(8, 12) === 'WEBP';
  return magic !== '\x00\x00\x00' || head.slice(4, 8) === 'ftyp';
}

/** A few bytes could be text by accident: a short body has to be JSON from end to end. */
function isDocument(head: Buffer, whole: boolean): boolean {
  const text = textOf(head) ?? '';
  if (/^\s*(?:<(?:!doctype|!--|\?xml|html|head|body|svg)|(?:data|event|id|retry)?:)/i.test(text)) return true;
  return /^\s*[{["]/.test(text) && (!whole || isJson(text));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What may be the beginning of JSON, events or a page, in UTF-8 without control characters; the last character may be cut. */
function textOf(head: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return /^\s*(?:[{[<":deir]|$)/i.test(text) && !/[^\P{Cc}\t\r\n]/u.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}
