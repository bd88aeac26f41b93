import type { Size } from './size-scan.ts';

const UTF16 = { '\xff\xfe': 'utf-16le', '\xfe\xff': 'utf-16be' } as const;

/** The text of a head, by its byte order mark; markup is ASCII in every other character set. */
function textOf(head: Buffer): string {
  const mark = head.toString('latin1', 0, 2);
  const label = mark === '\xff\xfe' || mark === '\xfe\xff' ? UTF16[mark] : 'utf-8';
  return new TextDecoder(label).decode(head);
}

/** Where what stands before the root of an XML document ends: prolog, comments, instructions, a document type that is of SVG. */
function rootOf(text: string): number {
  for (let at = 0; ; ) {
    while (/\s/.test(text.charAt(at))) at += 1;
    const end = endOf(text, at);
    if (end === undefined) return at;
    if (end < 0) return -1;
    at = end;
  }
}

/** The end of a comment, an instruction or the document type; -1 when it has none, `undefined` when there is nothing of that kind. */
function endOf(text: string, at: number): number | undefined {
  const behind = (sign: string, from: number): number => {
    const found = text.indexOf(sign, from);
    return found === -1 ? -1 : found + sign.length;
  };
  if (text.startsWith('<!--', at)) return behind('-->', at + 4);
  if (text.startsWith('<?', at)) return behind('?>', at + 2);
  if (!/^<!doctype/i.test(text.slice(at, at + 9))) return undefined;
  if (!/^\s+(?:[\w.-]+:)?svg[\s[>]/i.test(text.slice(at + 9, at + 200))) return -1;
  const close = text.indexOf('>', at);
  const subset = text.indexOf('[', at);
  if (subset === -1 || subset > close) return close + 1 || -1;
  const end = text.indexOf(']', subset);
  return end === -1 ? -1 : behind('>', end);
}

const NAME = /<(?:[\w.-]+:)?svg(?=[\s/>])/y;
const ATTRIBUTE = /\s+([^\s=>"'/]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/y;

/** The attributes of the root when a head is the beginning of an SVG document; `undefined` when it is anything else, a page that holds one too. */
export function svgRoot(head: Buffer): ReadonlyMap<string, string> | undefined {
  if (!/^[\s<\xef\xfe\xff]/.test(head.toString('latin1', 0, 1))) return undefined;
  const text = textOf(head);
  const start = rootOf(text);
  NAME.lastIndex = start;
  if (start < 0 || !NAME.test(text)) return undefined;
  const attributes = new Map<string, string>();
  ATTRIBUTE.lastIndex = NAME.lastIndex;
  for (let found = ATTRIBUTE.exec(text); found !== null; found = ATTRIBUTE.exec(text))
    attributes.set(found[1] ?? '', found[2] ?? found[3] ?? '');
  return attributes;
}

/** Pixels of CSS in a unit; what depends on where the picture is shown (`%`, `em`) has none. */
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  px: 1,
  in: 96,
  pt: 4 / 3,
  pc: 16,
  cm: 96 / 2.54,
  mm: 9.6 / 2.54,
  q: 2.4 / 2.54,
};

/** Longer numbers nobody writes, and what looks for one in them would take a long time. */
const LENGTH_CHARS = 64;

function pixels(text: string | undefined): number | undefined {
  if (text === undefined || text.length > LENGTH_CHARS) return undefined;
  const [, number, unit = ''] = /^\s*\+?(\d*\.?\d+(?:e[+-]?\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const factor = Object.hasOwn(UNITS, unit.toLowerCase()) ? UNITS[unit.toLowerCase()] : undefined;
  return number === undefined || factor === undefined ? undefined : Number(number) * factor;
}

/** The size that an SVG has of itself: `width` and `height`, one of them by the proportions of `viewBox`, or `viewBox` alone. */
export function svgSize(root: ReadonlyMap<string, string>): Size | undefined {
  const [, , across = 0, down = 0] = (root.get('viewBox') ?? '')
    .trim()
    .split(/[\s,]+/)
    .map(Number);
  const box = across > 0 && down > 0 ? { width: across, height: down } : undefined;
  const [width, height] = [pixels(root.get('width')), pixels(root.get('height'))];
  const size = {
    width: width ?? (box === undefined ? 0 : height === undefined ? box.width : (height * box.width) / box.height),
    height: height ?? (box === undefined ? 0 : width === undefined ? box.height : (width * box.height) / box.width),
  };
  const rounded = { width: Math.round(size.width), height: Math.round(size.height) };
  return rounded.width > 0 && rounded.height > 0 && Number.isSafeInteger(rounded.width * rounded.height) ? rounded : undefined;
}
