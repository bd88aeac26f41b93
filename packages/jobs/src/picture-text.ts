/** How callers write a picture into a request, and how it is written on. */

/** What is taken as it stands: an address, a data URL of an image, bare base64. */
const ADDRESS = /^https?:\/\//i;
const TYPED = /^data:image\/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]+={0,2}$/;
const BARE = /^[A-Za-z0-9+/]{16,}={0,2}$/;

/** Browsers, file pickers and templates that know no type write these: the bytes tell. */
const NO_TYPE = ['', '*/*', 'image/*', 'application/octet-stream', 'binary/octet-stream', 'undefined', 'null'];
const UNTYPED = 'data:application/octet-stream;base64,';

/** The head of a data URL. Longer ones nobody writes. */
const HEAD = /^data:((?:[^",]|"[^"]*")*),/i;
const HEAD_CHARS = 1024;

const WHAT = 'an image must be an http(s) URL, a data URL of an image, or bare base64';

/** A picture as it is kept, or what is wrong with it. */
type Read = { picture: string } | { problem: string };

/** An inline picture whose type only its bytes tell. */
export const isUntyped = (picture: string): boolean => picture.startsWith(UNTYPED);

/**
 * Reads a picture as a caller sent it. Line breaks, parameters of the type, the base64 of URLs and missing padding are common and say
 * what is meant: what comes out is an address, `data:image/…;base64,…` or bare base64 without any of these. Where no type
 * stands, or base64 is only guessed, the result is {@link isUntyped}: it is to be looked at.
 */
export function readPicture(sent: string): Read {
  if (TYPED.test(sent) || BARE.test(sent)) {
    const digits = sent.length - sent.indexOf(',') - 1;
    if (digits % 4 === 0) return { picture: sent };
  }
  const text = sent.trim();
  if (text === '') return { problem: 'an image must not be empty' };
  if (ADDRESS.test(text)) return URL.canParse(text) ? { picture: text } : { problem: 'an image must be a URL that can be read' };
  if (/^data:/i.test(text)) return readDataUrl(text);
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1];
  if (scheme !== undefined) return { problem: `${WHAT}; ${scheme.slice(0, 32)}: is none of these` };
  return readBare(text);
}

function readDataUrl(text: string): Read {
  const [head, said] = HEAD.exec(text.slice(0, HEAD_CHARS)) ?? [];
  if (head === undefined || said === undefined)
    return { problem: 'a data URL needs a comma behind its type: data:image/png;base64,…' };
  const parts = said.split(';').map((part) => part.trim().toLowerCase());
  if (!parts.includes('base64')) return { problem: 'a data URL of an image must be base64: data:image/png;base64,…' };
  const [type = ''] = parts.filter((part) => part !== 'base64' && !part.includes('='));
  const known = /^image\/[a-z0-9.+-]+$/.test(type);
  if (!known && !NO_TYPE.includes(type))
    return { problem: `data:${type.slice(0, 64)} is not an image; send data:image/png;base64,… or the like` };
  const digits = digitsOf(text, head.length);
  return 'problem' in digits ? digits : { picture: `${known ? `data:${type};base64,` : UNTYPED}${digits.text}` };
}

/** Without a head it may be anything, such as a file name: only line breaks are taken for blanks of base64. */
function readBare(text: string): Read {
  const lines = text.split(/[\r\n]+/).map((line) => line.trim());
  if (lines.some((line) => /\s/.test(line))) return { problem: WHAT };
  const digits = digitsOf(text, 0);
  if ('problem' in digits) return { problem: text.length > 64 ? digits.problem : WHAT };
  if (digits.text.length < 16) return { problem: WHAT };
  return { picture: /[-_%]/.test(text) ? `${UNTYPED}${digits.text}` : digits.text };
}

/** Blank, or the padding that base64 ends with. */
const isTail = (code: number): boolean => code <= 32 || code === 61;

/** The digits of base64 from `start` on: without blanks, in the common alphabet, padded. */
function digitsOf(text: string, start: number): { text: string } | { problem: string } {
  const all = unescaped(text.slice(start));
  let end = all.length;
  while (end > 0 && isTail(all.charCodeAt(end - 1))) end -= 1;
  const body = all.slice(0, end);
  const wrong = body.search(/[^A-Za-z0-9+/_\- \t\r\n]/);
  if (wrong !== -1) {
    const char = String.fromCodePoint(body.codePointAt(wrong) ?? 0).toWellFormed();
    return { problem: `is not base64 at character ${start + wrong + 1}: ${JSON.stringify(char)}` };
  }
  const digits = body.replaceAll(/[ \t\r\n]+/g, '');
  if (digits === '') return { problem: 'is base64 of nothing: it holds no image' };
  if (digits.length % 4 === 1) return { problem: `is cut short: ${digits.length} characters are no whole base64` };
  return { text: Buffer.from(digits, 'base64').toString('base64') };
}

/** Base64 in a URL may be percent-encoded. */
const unescaped = (text: string): string =>
  text.includes('%')
    ? text
        .replaceAll(/%2B/gi, '+')
        .replaceAll(/%2F/gi, '/')
        .replaceAll(/%3D/gi, '=')
        .replaceAll(/%(?:0D|0A|09|20)/gi, ' ')
    : text;
