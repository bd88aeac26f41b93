import { isUtf8 } from 'node:buffer';
import type { Slices } from '@grsai-jobs/runtime';
import { type JsonLimits, readJson } from './json-reader.ts';
import { JsonRefusal } from './json-source.ts';
import { readPlain } from './plain-json.ts';
import { Problem } from './problem.ts';

const COMMON = { depth: 32, keys: 1000, keyBytes: 16 * 1024, numberBytes: 128 };

/** What a JSON text may hold, by what it is; `marks` are far above what the largest sensible one has. */
export const JSON_LIMITS = {
  /** A chat of a thousand messages with sixty parts each has 200 000. */
  job: { ...COMMON, marks: 200_000 },
  /** A thousand jobs, of which each has room for a chat of a hundred messages. */
  batch: { ...COMMON, marks: 500_000 },
} as const satisfies Record<string, JsonLimits>;

/** Is read in less than a turn of the event loop may take. */
const SHORT_BYTES = 4096;

/** For the message of a refusal, and how much is taken. */
interface Wording {
  /** What is read. */
  what?: string;
  /** The likely reason where something stands behind the value. */
  runsOn?: string;
  limits?: JsonLimits;
}

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

const startsWithBom = (text: Buffer): boolean => text[0] === BOM[0] && text.subarray(0, BOM.length).equals(BOM);

/** The bytes without a byte order mark; `null` when they are no UTF-8. */
export function utf8Of(bytes: Uint8Array): Buffer | null {
  if (!isUtf8(bytes)) return null;
  const text = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return startsWithBom(text) ? text.subarray(BOM.length) : text;
}

export function isBlankText(text: Buffer): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text[at] ?? 0;
    if (code !== 0x20 && (code < 0x09 || code > 0x0d)) return false;
  }
  return true;
}

const refuse = (detail: string): never => {
  throw new Problem('malformed_json', detail);
};

function problemOf(error: unknown, { what = 'The body', runsOn }: Wording): unknown {
  if (!(error instanceof JsonRefusal)) return error;
  if (error.kind === 'key') return new Problem('malformed_json', `${error.message}.`);
  if (error.kind === 'limit') return new Problem('malformed_json', `${what} ${error.message}.`);
  const why = runsOn !== undefined && error.kind === 'behind' ? `. ${runsOn}` : '';
  return new Problem('malformed_json', `${what} is not valid JSON: ${error.message}${why}`);
}

/**
 * Reads a text of JSON strictly: no lone surrogates, no duplicate or `__proto__` keys, nothing beyond {@link JSON_LIMITS}. JSON.parse
 * alone would take the last of two keys, which is a way to smuggle a request past a check. For texts of bounded length: it
 * does not pause.
 * @throws Problem `malformed_json` that says what is wrong.
 */
export function parseStrictText(text: Buffer, o: Wording = {}): unknown {
  const plain = readPlain(text, COMMON.depth);
  if (plain !== undefined) return plain;
  try {
    const reader = readJson(text, o.limits ?? JSON_LIMITS.job);
    for (;;) {
      const step = reader.next();
      if (step.done === true) return step.value;
    }
  } catch (error) {
    throw problemOf(error, o);
  }
}

/**
 * The same for a body, of which only the UTF-8 is checked before. One that may be large is read in slices, between which other requests
 * have their turn.
 */
export async function parseStrictJson(bytes: Uint8Array, slices?: Slices, o: Wording = {}): Promise<unknown> {
  const text = utf8Of(bytes) ?? refuse('The body is not valid UTF-8.');
  if (text.length < 1024 && isBlankText(text)) throw emptyBody();
  return slices === undefined || text.length <= SHORT_BYTES ? parseStrictText(text, o) : await parseLongText(text, slices, o);
}

/** As {@link parseStrictText}, in slices. */
export async function parseLongText(text: Buffer, slices: Slices, o: Wording = {}): Promise<unknown> {
  try {
    const reader = readJson(text, o.limits ?? JSON_LIMITS.job);
    for (;;) {
      const step = reader.next();
      if (step.done === true) return step.value;
      if (slices.over()) await slices.next();
    }
  } catch (error) {
    throw problemOf(error, o);
  }
}

const emptyBody = (): Problem => new Problem('malformed_json', 'The body is empty; a JSON object is expected.');
