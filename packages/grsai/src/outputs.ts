import { plainName } from './field-names.ts';
import { fileType, MAGIC_LENGTH } from './file-type.ts';
import { type Fields, isFields, isVoid, parsed } from './json-values.ts';
import { linkOf, linksIn, unwrapped, written } from './links.ts';

/** One picture or video of an answer: where its file is, or the file itself. */
export type Output =
  | { readonly kind: 'link'; readonly url: string }
  /** Its bytes as they came in the answer, not yet looked at. */
  | { readonly kind: 'inline'; readonly bytes: Uint8Array };

/** Fields that list the outputs of an answer, the surest first: only one of them is believed. All names here are plain ones. */
const LISTS = ['results', 'result', 'outputs', 'output', 'data', 'urls', 'videos', 'files'] as const;
/** The same, but a field of the request has such a name too: they count only where an answer says that it has succeeded. */
const ECHOED = ['images', 'imageurls', 'image', 'video', 'pictures', 'pics', 'imgs'] as const;
/** Where chats and Gemini have what they made. */
const DIALECTS = ['choices', 'candidates'] as const;
/** Fields that hold one output, in one form or several: then the one that cannot die is taken. */
const HOLDERS = [
  'url',
  'imageurl',
  'imgurl',
  'picurl',
  'videourl',
  'fileurl',
  'outputurl',
  'resulturl',
  'downloadurl',
  'signedurl',
  'cdnurl',
  'ossurl',
  'originurl',
  'originalurl',
  'img',
  'pic',
  'link',
  'file',
  'uri',
  'src',
  'href',
  'inlinedata',
  'b64json',
  'b64',
  'base64',
  'imagebase64',
  'bytesbase64encoded',
] as const;
/** In these anything that can be base64 is. */
const BASE64_FIELDS: ReadonlySet<string> = new Set(['b64json', 'b64', 'base64', 'imagebase64', 'bytesbase64encoded']);

/** Lists inside lists, and objects inside objects, that are looked into: more than any answer has, so that none is cut in part. */
const DEPTH = 32;

/** The fields by their plain names; of several spellings of one name the first that says something. */
type Named = ReadonlyMap<string, unknown>;

function byPlainName(fields: Fields): Named {
  const named = new Map<string, unknown>();
  for (const [name, value] of Object.entries(fields)) {
    const plain = plainName(name);
    if (isVoid(named.get(plain))) named.set(plain, value);
  }
  return named;
}

/**
 * The outputs of an answer, in order. Whatever holds the picture counts: an object with a link or with base64, a bare text, a data
 * URL, one of them or a list. `succeeded`: the answer says so, and a list that could be an echo of the request is the result.
 */
export function outputsOf(fields: Fields, succeeded: boolean): readonly Output[] {
  const named = byPlainName(fields);
  for (const name of succeeded ? [...LISTS, ...echoedIn(named)] : LISTS) {
    const found = outputsIn(named.get(name), DEPTH);
    if (found.some(isWhere)) return found;
  }
  const held = heldBy(named, DEPTH);
  if (held.length > 0 || !succeeded) return held;
  return (
    [...LISTS, ...DIALECTS].map((name) => anyOutputs(named.get(name), DEPTH)).find((found) => found.some(isWhere)) ??
    outputsElsewhere(named)
  );
}

/** Words of upstream's own, and links to something else than a picture. */
const NO_OUTPUT =
  /^(?:message|msg|detail|reason|description|title|note|remark|tip|text)s?$|notif|param|query|poll|endpoint|website|home|support|contact|login|pay(?!load)|charge|terms|policy|^(?:get|self|next|prev|web|cancel|stream|status)/;

/** What stands under a name that nobody knows, where no other has an output. A text has to be the output, and not to name it. */
function outputsElsewhere(named: Named): readonly Output[] {
  const known: ReadonlySet<string> = new Set([...LISTS, ...ECHOED, ...DIALECTS, ...HOLDERS]);
  for (const [name, value] of named) {
    if (known.has(name) || NO_OUTPUT.test(name) || BESIDE.test(name)) continue;
    const bare = typeof value === 'string' && /\s/.test(value.trim()) && !/^\s*(?:[[{]|data:)/i.test(value);
    const found = bare ? [] : anyOutputs(value, DEPTH);
    if (found.some(isWhere)) return found;
  }
  return [];
}

/** The links among outputs, but for those that cannot be called. */
export const urlsOf = (outputs: readonly Output[]): readonly string[] =>
  outputs.flatMap((output) => (output.kind === 'link' && linkOf(output.url) !== '' ? [output.url] : []));

/** Paths that a browser would have asked of whoever it talks to, asked of `base`. */
export const linksAt = (outputs: readonly Output[], base: string): readonly Output[] =>
  outputs.map((output) =>
    output.kind === 'link' && output.url.startsWith('/') && URL.canParse(output.url, base)
      ? { kind: 'link', url: new URL(output.url, base).href }
      : output,
  );

/** An answer with a list of results, be it empty, has its outputs there. */
const echoedIn = (named: Named): readonly string[] => (Array.isArray(named.get('results')) ? [] : ECHOED);

function outputsIn(value: unknown, depth: number): readonly Output[] {
  if (depth === 0) return [];
  if (typeof value === 'string') return textOutputs(value, depth);
  if (Array.isArray(value)) return value.flatMap((each: unknown) => outputsIn(each, depth - 1));
  if (!isFields(value)) return [];
  const named = byPlainName(value);
  const own = heldBy(named, depth);
  if (own.length > 0) return own;
  const odd = HOLDERS.flatMap((name) => oddLink(named.get(name)) ?? []);
  if (odd[0] !== undefined) return [odd[0]];
  for (const name of [...LISTS, ...ECHOED]) {
    const found = outputsIn(named.get(name), depth - 1);
    if (found.length > 0) return found;
  }
  // A list that was written as an object: {"0": …, "1": …}.
  return Object.keys(value).every((key) => /^\d+$/.test(key)) ? outputsIn(Object.values(value), depth) : [];
}

/** Fields of an output that may hold another picture, or a link to something else. */
const BESIDE =
  /thumb|preview|cover|icon|logo|avatar|poster|frame|input|source|ref|prompt|mask|hook|callback|doc|help|error|request/;

/** Where nothing is found under a name that is known: what stands in the list of the outputs under any other. */
function anyOutputs(given: unknown, depth: number): readonly Output[] {
  if (depth === 0) return [];
  const value = parsed(given);
  if (typeof value === 'string') return textOutputs(value, depth);
  if (Array.isArray(value)) return value.flatMap((each: unknown) => anyOutputs(each, depth - 1));
  if (!isFields(value)) return [];
  const parts = Object.entries(value).filter(([name]) => !BESIDE.test(plainName(name)));
  // Texts of one object are forms of the same output.
  const own = parts
    .map(([, part]) => (typeof part === 'string' ? anyOutputs(part, depth - 1) : []))
    .find((found) => found.length > 0);
  return own ?? parts.flatMap(([, part]) => (typeof part === 'string' ? [] : anyOutputs(part, depth - 1)));
}

/** What one object holds; several fields are forms of the same output. */
function heldBy(named: Named, depth: number): readonly Output[] {
  const forms = HOLDERS.map((name) => formsIn(name, named.get(name), depth)).filter((form) => form.length > 0);
  const sure = forms.find((form) => form.every((each) => each.kind === 'inline' && isMedia(each.bytes)));
  return sure ?? forms[0] ?? [];
}

function formsIn(name: string, value: unknown, depth: number): readonly Output[] {
  if (typeof value !== 'string' || !BASE64_FIELDS.has(name)) return outputsIn(value, depth - 1);
  const text = value.trim();
  const output = linkOutput(text) ?? dataUrl(text) ?? base64(text);
  return output === undefined ? [] : [output];
}

function textOutputs(value: string, depth: number): readonly Output[] {
  const text = value.trim();
  if (/^[[{]/.test(text)) {
    const inside = parsed(text);
    if (inside !== text) return outputsIn(inside, depth - 1);
  }
  const output = dataUrl(text) ?? bareBase64(text);
  if (output !== undefined) return [output];
  const texts = /^[`'"<]{0,3}https?:/i.test(text) || linkOf(text) !== '' ? linksIn(text) : written(text);
  return texts.flatMap((each) => linkOutput(each) ?? dataUrl(each) ?? []);
}

const isMedia = (bytes: Uint8Array): boolean => fileType(bytes.subarray(0, MAGIC_LENGTH)) !== undefined;

function linkOutput(text: string): Output | undefined {
  const url = linkOf(text);
  return url === '' ? undefined : { kind: 'link', url };
}

/** Words for no link at all. */
const NOTHING = /^(?:|null|nil|none|undefined|false|n\/?a|-+)$/i;
const ODD_SHOWN = 200;
/** A path whose first stroke is missing. */
const RELATIVE =
  /^(?:\.\/)?(?:[\w%.~-]{1,80}\/){1,10}[\w%.~-]{1,120}\.(?:png|jpe?g|webp|gif|avif|heic|bmp|mp4|webm|mov)(?:\?\S*)?$/i;

/**
 * What stands where a link belongs, and cannot be called as it is. It is an output all the same: were it left out in silence, a task
 * with others beside it would succeed with less.
 */
function oddLink(value: unknown): Output | undefined {
  const text = typeof value === 'string' ? unwrapped(value) : '';
  if (NOTHING.test(text)) return undefined;
  if (RELATIVE.test(text.slice(0, ODD_SHOWN))) return { kind: 'link', url: `/${text.replace(/^\.\//, '')}` };
  return { kind: 'link', url: text.startsWith('/') ? text : text.slice(0, ODD_SHOWN) };
}

/** An output that can be had, once it is known who is asked for it. Others count only beside such a one. */
const isWhere = (output: Output): boolean => output.kind === 'inline' || /^(?:https?:\/\/|\/)/i.test(output.url);

/** Enough for any head, and no longer than the parameters of a data URL ever are. */
const DATA_URL = /^data:([^,]{0,200}),/i;

/** A data URL: with or without a type, parameters and line breaks; base64, or percent-encoded as an SVG may be. */
function dataUrl(wrapped: string): Output | undefined {
  const text = unwrapped(wrapped);
  const head = DATA_URL.exec(text);
  if (head === null) return headless(text);
  const rest = decoded(text.slice(head[0].length));
  // A gateway has put its own in front of one that was whole.
  if (DATA_URL.test(rest.slice(0, 220))) return dataUrl(rest);
  if (/;\s*base64\s*$/i.test(head[1] ?? '')) return base64(rest);
  const packed = base64(rest);
  if (packed?.kind === 'inline' && isMedia(packed.bytes)) return packed;
  const bytes = Buffer.from(rest);
  return bytes.length === 0 ? undefined : { kind: 'inline', bytes };
}

/** What is left of a data URL whose start is lost: `image/png;base64,…`, `base64,…`. */
const HEADLESS = /^(?:[\w.+-]{1,40}\/[\w.+-]{1,40}\s?;\s?)?base64\s?[,:]/i;

function headless(text: string): Output | undefined {
  const head = HEADLESS.exec(text.slice(0, 100));
  const packed = head === null ? undefined : base64(decoded(text.slice(head[0].length)));
  return packed?.kind === 'inline' && isMedia(packed.bytes) ? packed : undefined;
}

/** Percent-encoded characters in their place; a text in which some are broken stays as it is. */
function decoded(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Standard or URL-safe, padded or not, with line breaks. Each test passes over the text once, however long it is. */
function isBase64(text: string): boolean {
  if (/[^A-Za-z0-9+/_=\s-]/.test(text)) return false;
  const padding = text.indexOf('=');
  // What stands behind padding would be dropped in silence.
  return padding === -1 || !/[^=\s]/.test(text.slice(padding));
}

function base64(text: string): Output | undefined {
  // Escaped once too often, or with its quotes.
  const plain = /[\\"]/.test(text) ? text.replace(/\\[rn]|\\(?=\/)|^"|"$/g, '') : text;
  if (!isBase64(plain)) return undefined;
  const bytes = Buffer.from(plusSigns(plain), 'base64');
  return bytes.length === 0 ? undefined : { kind: 'inline', bytes };
}

/** A form that was decoded once too often has blanks where plus signs were. Lines that were joined by blanks have whole groups of four. */
function plusSigns(text: string): string {
  const inside = text.trim();
  const groups = inside.slice(0, PLUS_SHOWN).split(' ').slice(0, -1);
  const wrapped = groups.every((group) => group.length % 4 === 0);
  return wrapped || /[\r\n\t+]/.test(inside) ? text : inside.replaceAll(' ', '+');
}

/** A plus sign is one of 64 characters. */
const PLUS_SHOWN = 4096;

/** Shorter texts are words, names or checksums, unless they begin as a picture does. */
const SHORTEST = 256;

function bareBase64(text: string): Output | undefined {
  const output = base64(text);
  if (output?.kind !== 'inline') return undefined;
  return text.length >= SHORTEST || isMedia(output.bytes) ? output : undefined;
}
