import { type Fields, isFields, textOf } from './envelope.ts';
import { fileType, MAGIC_LENGTH } from './file-type.ts';

/** One picture or video of an answer: where its file is, or the file itself. */
export type Output =
  | { readonly kind: 'link'; readonly url: string }
  /** Its bytes as they came in the answer, not yet looked at. */
  | { readonly kind: 'inline'; readonly bytes: Uint8Array };

/** Fields that list the outputs of an answer, the surest first: only one of them is believed. */
const LISTS = ['results', 'result', 'outputs', 'output', 'data', 'urls', 'videos', 'files'] as const;
/** The same, but a field of the request has such a name too: they count only where an answer says that it has succeeded. */
const ECHOED = ['images', 'image_urls', 'imageUrls', 'image', 'video'] as const;
/** Fields that hold one output, in one form or several: then the one that cannot die is taken. */
const HOLDERS = [
  'url',
  'image_url',
  'imageUrl',
  'video_url',
  'videoUrl',
  'file_url',
  'fileUrl',
  'output_url',
  'outputUrl',
  'result_url',
  'resultUrl',
  'download_url',
  'downloadUrl',
  'uri',
  'src',
  'href',
  'inline_data',
  'inlineData',
  'b64_json',
  'b64',
  'base64',
  'image_base64',
] as const;
/** In these anything that can be base64 is. */
const BASE64_FIELDS: ReadonlySet<string> = new Set(['b64_json', 'b64', 'base64', 'image_base64']);

/** Lists inside lists, and objects inside objects, that are looked into: more than any answer has, so that none is cut in part. */
const DEPTH = 32;

/**
 * The outputs of an answer, in order. Whatever holds the picture counts: an object with a link or with base64, a bare text, a data
 * URL, one of them or a list. `succeeded`: the answer says so, and a list that could be an echo of the request is the result.
 */
export function outputsOf(fields: Fields, succeeded: boolean): readonly Output[] {
  for (const name of succeeded ? [...LISTS, ...echoedIn(fields)] : LISTS) {
    const found = outputsIn(fields[name], DEPTH);
    if (found.some(isWhere)) return found;
  }
  return heldBy(fields, DEPTH);
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
const echoedIn = (fields: Fields): readonly string[] => (Array.isArray(fields['results']) ? [] : ECHOED);

function outputsIn(value: unknown, depth: number): readonly Output[] {
  if (depth === 0) return [];
  if (typeof value === 'string') return textOutputs(value, depth);
  if (Array.isArray(value)) return value.flatMap((each: unknown) => outputsIn(each, depth - 1));
  if (!isFields(value)) return [];
  const own = heldBy(value, depth);
  if (own.length > 0) return own;
  const odd = HOLDERS.flatMap((name) => oddLink(value[name]) ?? []);
  if (odd[0] !== undefined) return [odd[0]];
  for (const name of [...LISTS, ...ECHOED]) {
    const found = outputsIn(value[name], depth - 1);
    if (found.length > 0) return found;
  }
  // A list that was written as an object: {"0": …, "1": …}.
  return Object.keys(value).every((key) => /^\d+$/.test(key)) ? outputsIn(Object.values(value), depth) : [];
}

/** What one object holds; several fields are forms of the same output. */
function heldBy(fields: Fields, depth: number): readonly Output[] {
  const forms = HOLDERS.map((name) => formsIn(name, fields[name], depth)).filter((form) => form.length > 0);
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
  if (/^[[{]/.test(text)) return outputsIn(parsed(text), depth - 1);
  const output = dataUrl(text) ?? bareBase64(text);
  if (output !== undefined) return [output];
  const texts = /^[`'"<]{0,3}https?:/i.test(text) ? linksIn(text) : written(text);
  return texts.flatMap((each) => linkOutput(each) ?? dataUrl(each) ?? []);
}

/** Several links in one text: between two stands space, or a sign that is followed by the next one. */
const BETWEEN_LINKS = /[\s,;|](?=["'`<]{0,2}https?:\/\/)/i;

function linksIn(text: string): readonly string[] {
  const links = text.split(BETWEEN_LINKS);
  return links.length === 1 ? links : links.map((link) => unwrapped(link).replace(/[,;|]{1,3}$/, ''));
}

/** Pictures in a text that is Markdown or HTML. */
const WRITTEN = [
  /!\[[^\]]{0,200}\]\(\s{0,8}([^\s)]+)/g,
  /<(?:img|video|source)\b[^>]{0,500}?\bsrc\s{0,8}=\s{0,8}["']?([^\s"'>]+)/gi,
] as const;

function written(text: string): readonly string[] {
  for (const pattern of WRITTEN) {
    const found = [...text.matchAll(pattern)].map(([, link = '']) => link);
    if (found.length > 0) return found;
  }
  return [];
}

const isMedia = (bytes: Uint8Array): boolean => fileType(bytes.subarray(0, MAGIC_LENGTH)) !== undefined;

function linkOutput(text: string): Output | undefined {
  const url = linkOf(text);
  return url === '' ? undefined : { kind: 'link', url };
}

/** Words for no link at all. */
const NOTHING = /^(?:|null|nil|none|undefined|false|n\/?a|-+)$/i;
const ODD_SHOWN = 200;

/**
 * What stands where a link belongs, and cannot be called as it is. It is an output all the same: were it left out in silence, a task
 * with others beside it would succeed with less.
 */
function oddLink(value: unknown): Output | undefined {
  const text = typeof value === 'string' ? unwrapped(value) : '';
  if (NOTHING.test(text)) return undefined;
  return { kind: 'link', url: text.startsWith('/') ? text : text.slice(0, ODD_SHOWN) };
}

/** An output that can be had, once it is known who is asked for it. Others count only beside such a one. */
const isWhere = (output: Output): boolean => output.kind === 'inline' || /^(?:https?:\/\/|\/)/i.test(output.url);

/**
 * A link as a browser would ask for it: spaces and other scripts are encoded, and what it comes wrapped in (spaces, quotes, back-ticks,
 * upstream.md §12 T10) is gone. An empty text when it is none.
 */
export function linkOf(value: unknown): string {
  const link = unwrapped(textOf(value));
  return /^https?:\/\//i.test(link) && URL.canParse(link) ? new URL(link).href : '';
}

const WRAPPERS = /[\s`'"<>]/;

/** Without what it comes wrapped in. No regular expression: at a long run of spaces inside, its time would grow with the square. */
function unwrapped(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && WRAPPERS.test(text.charAt(start))) start += 1;
  while (end > start && WRAPPERS.test(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** Enough for any head, and no longer than the parameters of a data URL ever are. */
const DATA_URL = /^data:([^,]{0,200}),/i;

/** A data URL: with or without a type, parameters and line breaks; base64, or percent-encoded as an SVG may be. */
function dataUrl(wrapped: string): Output | undefined {
  const text = unwrapped(wrapped);
  const head = DATA_URL.exec(text);
  if (head === null) return undefined;
  const rest = text.slice(head[0].length);
  if (/;\s*base64\s*$/i.test(head[1] ?? '')) return base64(decoded(rest));
  const bytes = Buffer.from(decoded(rest));
  return bytes.length === 0 ? undefined : { kind: 'inline', bytes };
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
  if (!isBase64(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === 0 ? undefined : { kind: 'inline', bytes };
}

/** Shorter texts are words, names or checksums, unless they begin as a picture does. */
const SHORTEST = 256;

function bareBase64(text: string): Output | undefined {
  const output = base64(text);
  if (output?.kind !== 'inline') return undefined;
  return text.length >= SHORTEST || isMedia(output.bytes) ? output : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
