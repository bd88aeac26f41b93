import { isUtf8 } from 'node:buffer';
import { Problem } from './problem.ts';

/** Deeper JSON than this is refused; no request of ours needs it. */
const MAX_DEPTH = 32;

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
 * (design §3). JSON.parse alone would take the last of two keys, which is a way to smuggle a request past a check.
 * @throws Problem `malformed_json` that says what is wrong.
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  return parseStrictText(utf8Of(bytes) ?? refuse('The body is not valid UTF-8.'));
}

/** The same for a text that was decoded before; `what` it is stands in the message. */
export function parseStrictText(text: string, what = 'The body'): unknown {
  if (text.trim() === '') return refuse(`${what} is empty; a JSON object is expected.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse(
      `${what} is not valid JSON: ${(error as Error).message.replace(/"[^"]*" is not valid JSON/, 'unexpected text')}`,
    );
  }
  checkKeys(text, what);
  if (/\\u[dD][89a-fA-F]/.test(text) && !wellFormed(value))
    return refuse(`${what} holds a lone surrogate (half of a Unicode pair).`);
  return value;
}

/** Walks valid JSON text once and looks at the keys of each object. */
function checkKeys(text: string, what: string): void {
  const open: (Set<string> | null)[] = [];
  let expectKey = false;
  for (let i = 0; i < text.length; i += 1) {
    switch (text[i]) {
      case '{':
      case '[':
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
        expectKey = open.at(-1) != null;
        break;
      case '"': {
        const end = endOfString(text, i);
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
  const key = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
  if (key === '__proto__') refuse('The key "__proto__" is not allowed.');
  if (keys?.has(key)) refuse(`The key ${JSON.stringify(key.slice(0, 64))} stands twice in one object.`);
  keys?.add(key);
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
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
