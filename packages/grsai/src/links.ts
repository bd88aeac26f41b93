import { textOf } from './json-values.ts';

/**
 * A link as a browser would ask for it: spaces and other scripts are encoded, and what it comes wrapped in (spaces, quotes, back-ticks,
 * upstream.md §12 T10) is gone; so is one layer of escapes, and a host without a scheme gets one. An empty text when it is none.
 */
export function linkOf(value: unknown): string {
  const text = unwrapped(textOf(value));
  const link = /^https?:/i.test(text) ? withoutTail(text.replaceAll('\\/', '/')) : withScheme(text);
  return link !== '' && URL.canParse(link) ? new URL(link).href : '';
}

/** Once, or several times over. */
const ENCODED = /^https?%(?:25){0,3}3a%(?:25){0,3}2f%(?:25){0,3}2f/i;
const BARE_HOST = /^(?:(?:[a-z0-9][a-z0-9-]{0,62}\.){1,8}[a-z]{2,24}|(?:\d{1,3}\.){3}\d{1,3})(?::\d{1,5})?\/[^\s]/i;
/** The longest start that a host takes. */
const HOST_SHOWN = 600;

function withScheme(text: string): string {
  if (BARE_HOST.test(text.slice(0, HOST_SHOWN))) return `https://${withoutTail(text)}`;
  let link = text;
  try {
    while (ENCODED.test(link)) link = decodeURIComponent(link);
  } catch {
    return '';
  }
  return link === text ? '' : link;
}

const TAIL = /(?:\\[nrt]|[,;|，；、。])$/;
const LONGEST_TAIL = 8;

/** Without the signs of a list, or an escaped line end, behind it. */
function withoutTail(text: string): string {
  let link = text;
  for (let turn = 0; turn < LONGEST_TAIL && TAIL.test(link.slice(-2)); turn++)
    link = link.slice(0, -2) + link.slice(-2).replace(TAIL, '');
  return link;
}

const WRAPPERS = /[\s`'"<>\u200b-\u200f\u2060\ufeff“”‘’「」『』《》]/;
/** These may be part of a link as well: they wrap it only in pairs. */
const PAIRS: ReadonlyMap<string, string> = new Map([
  ['(', ')'],
  ['[', ']'],
  ['（', '）'],
  ['【', '】'],
]);

/** Without what it comes wrapped in. No regular expression: at a long run of spaces inside, its time would grow with the square. */
export function unwrapped(text: string): string {
  let [start, end] = [0, text.length];
  for (;;) {
    while (start < end && WRAPPERS.test(text.charAt(start))) start += 1;
    while (end > start && WRAPPERS.test(text.charAt(end - 1))) end -= 1;
    if (end - start < 2 || PAIRS.get(text.charAt(start)) !== text.charAt(end - 1)) return text.slice(start, end);
    start += 1;
    end -= 1;
  }
}

/** Several links in one text: between two stands space, or a sign that is followed by the next one. */
const BETWEEN_LINKS = /[\s,;|](?=["'`<]{0,2}https?:\/\/)/i;

export const linksIn = (text: string): readonly string[] => text.split(BETWEEN_LINKS);

/** Pictures in a text that is Markdown, HTML or prose. */
const WRITTEN = [
  /!\[[^\]]{0,200}\]\(\s{0,8}([^\s)]+)/g,
  /<(?:img|video|source)\b[^>]{0,500}?\bsrc\s{0,8}=\s{0,8}["']?([^\s"'>]+)/gi,
  /\[[^\]]{0,200}\]\(\s{0,8}(https?:[^\s)]+)/gi,
  /(https?:\/\/[^\s"'<>()，。；]{1,500}?\.(?:png|jpe?g|webp|gif|avif|heic|bmp|mp4|webm|mov)\b[^\s"'<>()，。；]{0,2000})/gi,
] as const;

const ESCAPED: readonly (readonly [RegExp, string])[] = [
  [/&(?:quot|apos|#34|#39);/gi, '"'],
  [/&lt;/gi, '<'],
  [/&gt;/gi, '>'],
];

export function written(escaped: string): readonly string[] {
  const text = ESCAPED.reduce((sofar, [pattern, sign]) => sofar.replace(pattern, sign), escaped);
  for (const pattern of WRITTEN) {
    const found = [...text.matchAll(pattern)].map(([, link = '']) => link);
    if (found.length > 0) return found;
  }
  return [];
}
