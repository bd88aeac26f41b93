import { isUtf8 } from 'node:buffer';
import { Problem } from './problem.ts';

/** Deeper JSON than this is refused; no request of ours needs it. */
const MAX_DEPTH = 32;
/** No object of ours has as many keys; two million of them would hold up everybody for seconds. */
const MAX_KEYS = 1000;
/** Brackets and commas: some more than a whole body of short messages has. Each value is tens of bytes once it is parsed. */
const MAX_MARKS = 3_000_000;

const refuse = (detail: string): never => {
  throw new Problem('malformed_json', detail);
};

/** The text of UTF-8 bytes without a byte order mark; `null` when they are no UTF-8. */
export function utf8Of(bytes: Uint8Array): string | null {
  if (!isUtf8(bytes)) return null;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/**
 * Reads a JSON body strictly: valid UTF-8, no lone surrogates, no duplicate or `__proto__` keys, at most 32 levels
 * (design §3), 1 000 keys in an object and three million brackets and commas. JSON.parse alone would take the last of two
 * keys, which is a way to smuggle a request past a check.
 * @throws Problem `malformed_json` that says what is wrong.
 */
export function parseStrictJson(bytes: Uint8Array, o: Told = {}): unknown {
  return parseStrictText(utf8Of(bytes) ?? refuse('The body is not valid UTF-8.'), o);
}

/** For the message of a refusal. */
interface Told {
  /** What is read. */
  what?: string;
  /** The likely reason where something stands behind the value. */
  runsOn?: string;
}

/** The same for a text that was decoded before. */
export function parseStrictText(text: string, { what = 'The body', runsOn }: Told = {}): unknown {
  if (text.trim() === '') return refuse(`${what} is empty; a JSON object is expected.`);
  checkShape(text, what);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    const why = runsOn !== undefined && / after JSON at /.test(message) ? `. ${runsOn}` : '';
    return refuse(`${what} is not valid JSON: ${message.replace(/"[^"]*" is not valid JSON/, 'unexpected text')}${why}`);
  }
  if (/\\u[dD][89a-fA-F]/.test(text) && !wellFormed(value))
    return refuse(`${what} holds a lone surrogate (half of a Unicode pair).`);
  return value;
}

/**
 * Walks the text once, before memory is spent on its values, and looks at the keys of each object. Of a text that is no JSON
 * it may see anything: that is told by whoever parses it.
 */
function checkShape(text: string, what: string): void {
  const open: (Set<string> | null)[] = [];
  let expectKey = false;
  let marks = 0;
  const count = () => {
    marks += 1;
    if (marks > MAX_MARKS) refuse(`${what} holds too many values; send what it asks for as several requests.`);
  };
  for (let i = 0; i < text.length; i += 1) {
    switch (text[i]) {
      case '{':
      case '[':
        count();
        expectKey = text[i] === '{';
        open.push(expectKey ? new Set() : null);
        if (open.length > MAX_DEPTH) refuse(`${what} is nested deeper than ${MAX_DEPTH} levels.`);
        break;
      case '}':
      case ']':
        open.pop();
        expectKey = false;
        break;
      case ',':
        count();
        expectKey = open.at(-1) != null;
        break;
      case '"': {
        const end = endOfString(text, i);
        if (end === -1) return;
        if (expectKey) noteKey(open.at(-1), text.slice(i, end + 1));
        expectKey = false;
        i = end;
        break;
      }
      default:
    }
  }
}

function noteKey(keys: Set<string> | null | undefined, quoted: string): void {
  const key = quoted.includes('\\') ? unquoted(quoted) : quoted.slice(1, -1);
  if (key === '__proto__') refuse('The key "__proto__" is not allowed.');
  if (keys?.has(key)) refuse(`The key ${JSON.stringify(key.slice(0, 64))} stands twice in one object.`);
  keys?.add(key);
  if ((keys?.size ?? 0) > MAX_KEYS) refuse(`An object has more than ${MAX_KEYS} keys; no request takes as many.`);
}

/** A key with escapes; as it stands where they are none. */
function unquoted(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted;
  }
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text[at - 1 - slashes] === '\\') slashes += 1;
  return slashes % 2 === 1;
}

function wellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (Array.isArray(value)) return value.every(wellFormed);
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).every(([key, each]) => key.isWellFormed() && wellFormed(each));
  return true;
}
