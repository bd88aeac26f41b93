/** What stands outside of a text and is no JSON: a comma before a bracket, numbers and words of other languages. */
const COMMA = /,(?=\s*[}\]])/g;
const YES_OR_NO = /\b(?:True|False)\b/g;
const NO_VALUE = /-?\b(?:NaN|Infinity|undefined|None)\b/g;

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const escaped = (character: string): string =>
  ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Longer texts are not looked at: nobody writes so much by hand. */
const LONGEST = 4 * 1024 * 1024;

/**
 * JSON as gateways write it that put it together by hand: control characters stand in its texts as they are, a comma too many before a
 * bracket, `NaN` where a number belongs; or all of it is as Python prints it, with single quotes. The text as JSON, or `undefined` when there is nothing of the kind to mend; what is cut off stays so.
 */
export function mendedJson(text: string): string | undefined {
  if (text.length > LONGEST || !/^\s*[{[]/.test(text)) return undefined;
  const parts: string[] = [];
  const quote = SINGLE.test(text) ? /["']/g : /"/g;
  for (let at = 0; at < text.length; ) {
    quote.lastIndex = at;
    const open = quote.exec(text)?.index ?? -1;
    parts.push(outside(text.slice(at, open === -1 ? text.length : open)));
    if (open === -1) break;
    const close = endOfText(text, open);
    parts.push(inside(doubled(text.slice(open, close))));
    at = close;
  }
  const mended = parts.join('');
  return mended === text ? undefined : mended;
}

const outside = (part: string): string =>
  part
    .replace(COMMA, '')
    .replace(NO_VALUE, 'null')
    .replace(YES_OR_NO, (word) => word.toLowerCase());

/** The first text of all has single quotes. */
const SINGLE = /^\s*[{[][\s{[]*'/;

/** A text in double quotes. */
const doubled = (part: string): string =>
  part.startsWith("'") && part.endsWith("'")
    ? `"${part.slice(1, -1).replace(/\\'|"/g, (each) => (each === '"' ? '\\"' : "'"))}"`
    : part;

const inside = (part: string): string => part.replace(/\p{Cc}/gu, (each) => (each < ' ' ? escaped(each) : each));

/** Behind the quote that ends the text which begins at `open`. */
function endOfText(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === text[open]) return at + 1;
  }
  return text.length;
}
