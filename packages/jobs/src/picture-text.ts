import { LIMITS } from './limits.ts';

/** How callers write a picture into a request, and how it is written on. */

/** What is taken as it stands: an address, a data URL of an image, bare base64. */
const ADDRESS = /^https?:\/\//i;
const TYPED = /^data:image\/[a-z0-9.+-]+;base64,/;
const BARE_DIGITS = 16;

/** Browsers, file pickers and templates that know no type write these: the bytes say which it is. */
const NO_TYPE = ['', '*/*', 'image/*', 'application/octet-stream', 'binary/octet-stream', 'undefined', 'null'];
const UNTYPED = 'data:application/octet-stream;base64,';

/** The head of a data URL. Longer ones nobody writes. */
const HEAD = /^data:((?:[^",]|"[^"]*")*),/i;
const HEAD_CHARS = 1024;

const WHAT = 'an image must be an http(s) URL, a data URL of an image, or bare base64';

/** A picture as it is kept, or what is wrong with it. */
type Read = { picture: string } | { problem: string };

type Pieces<T> = Generator<undefined, T, void>;

/** So many characters are read between two pauses: whole groups of base64. */
const PIECE = 256 * 1024;

/** An inline picture whose type is known from its bytes alone. */
export const isUntyped = (picture: string): boolean => picture.startsWith(UNTYPED);

/**
 * Reads a picture as a caller sent it. Line breaks, parameters of the type, the base64 of URLs and missing padding are common and say
 * what is meant: what comes out is an address, `data:image/…;base64,…` or bare base64 without any of these. Where no type
 * stands, or base64 is only guessed, the result is {@link isUntyped}: it is to be looked at.
 */
export function readPicture(sent: string): Read {
  const reading = readPictureInPieces(sent);
  for (;;) {
    const step = reading.next();
    if (step.done === true) return step.value;
  }
}

/** The same in pieces: a picture may be as long as a body, and whoever reads it can let others have a turn between two of them. */
export function* readPictureInPieces(sent: string): Pieces<Read> {
  const head = TYPED.exec(sent.slice(0, HEAD_CHARS))?.[0].length ?? 0;
  if ((yield* isBase64(sent, head)) && (head > 0 || sent.length >= BARE_DIGITS)) return { picture: sent };
  const text = sent.trim();
  if (text === '') return { problem: 'an image must not be empty' };
  // What is too long for an address is refused by whoever asks.
  if (ADDRESS.test(text) && text.length > LIMITS.url) return { picture: text };
  if (ADDRESS.test(text)) return URL.canParse(text) ? { picture: text } : { problem: 'an image must be a URL that can be read' };
  if (/^data:/i.test(text)) return yield* readDataUrl(text);
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text.slice(0, 64))?.[1];
  if (scheme !== undefined) return { problem: `${WHAT}; ${scheme.slice(0, 32)}: is none of these` };
  return yield* readBare(text);
}

/** What stands in base64 that is to be read on: its other alphabet, escapes, blanks. */
const ODD = ['-', '_', '%', '\n', ' '];

/** True for whole groups of base64 and nothing else. Decoding skips what is no digit: then fewer bytes come out. */
function* isBase64(text: string, from: number): Pieces<boolean> {
  const length = text.length - from;
  const first = text.charCodeAt(from);
  if (length === 0 || length % 4 !== 0 || MEANINGS[first] !== first) return false;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const equals = text.indexOf('=', from);
  if (equals !== -1 && equals < text.length - 2) return false;
  for (let at = from; at < text.length; at += PIECE) {
    const piece = text.slice(at, at + PIECE);
    if (ODD.some((char) => piece.includes(char))) return false;
    const isLast = at + PIECE >= text.length;
    if (Buffer.from(piece, 'base64').length !== (piece.length / 4) * 3 - (isLast ? padding : 0)) return false;
    yield;
  }
  return true;
}

function* readDataUrl(text: string): Pieces<Read> {
  const [head, said] = HEAD.exec(text.slice(0, HEAD_CHARS)) ?? [];
  if (head === undefined || said === undefined)
    return { problem: 'a data URL needs a comma behind its type: data:image/png;base64,…' };
  const parts = said.split(';').map((part) => part.trim().toLowerCase());
  if (!parts.includes('base64')) return { problem: 'a data URL of an image must be base64: data:image/png;base64,…' };
  const [type = ''] = parts.filter((part) => part !== 'base64' && !part.includes('='));
  const known = /^image\/[a-z0-9.+-]+$/.test(type);
  if (!known && !NO_TYPE.includes(type))
    return { problem: `data:${type.slice(0, 64)} is not an image; send data:image/png;base64,… or the like` };
  const digits = yield* digitsOf(text, head.length, { head: known ? `data:${type};base64,` : UNTYPED });
  return 'problem' in digits ? digits : { picture: digits.text(true) };
}

/** Without a head it may be anything, such as a file name: only line breaks are taken for blanks of base64. */
function* readBare(text: string): Pieces<Read> {
  const digits = yield* digitsOf(text, 0, { head: UNTYPED, breaksOnly: true });
  if ('problem' in digits) return { problem: text.length > 64 ? digits.problem : WHAT };
  if (digits.size < BARE_DIGITS) return { problem: WHAT };
  return { picture: digits.text(digits.odd) };
}

const [PERCENT, EQUALS] = [0x25, 0x3d] as const;
/** What is no digit. */
const [SPACE, BREAK, WRONG] = [1, 2, 3] as const;
/** What each byte is in base64: a digit as it is written on, or something else. */
const MEANINGS = Uint8Array.from({ length: 256 }, (_, code) => {
  const char = String.fromCharCode(code);
  if (/[A-Za-z0-9+/=%]/.test(char)) return code;
  if (char === '-' || char === '_') return (char === '-' ? '+' : '/').charCodeAt(0);
  if (char === '\n' || char === '\r') return BREAK;
  return char === ' ' || char === '\t' ? SPACE : WRONG;
});

const isDigit = (meaning: number): boolean => meaning > WRONG && meaning !== PERCENT && meaning !== EQUALS;

/** What may stand percent-encoded: base64 in a URL, and its line breaks. By the two bytes behind the sign. */
const ENCODED: ReadonlyMap<number, number> = new Map(
  Object.entries({ '2B': 0x2b, '2F': 0x2f, '3D': EQUALS, '0D': BREAK, '0A': BREAK, '09': BREAK, '20': BREAK }).flatMap(
    ([text, meaning]) => [text, text.toLowerCase()].map((each): [number, number] => [Buffer.from(each).readUInt16BE(0), meaning]),
  ),
);

/** Lines of base64 have one break in 64 digits, its escapes in a URL one in 32: more of what is no digit is no picture. */
const oddOnes = (length: number): number => 1024 + length / 8;

/** Reads digits one after another, in place: each byte is written on where the next digit belongs. */
class DigitReader {
  readonly #bytes: Buffer;
  readonly #breaksOnly: boolean;
  #at = 0;
  size = 0;
  /** Written in another way than it is written on. */
  odd = false;
  #padding = -1;
  #fresh = true;
  #gap = false;
  #others = 0;

  constructor(bytes: Buffer, from: number, breaksOnly: boolean) {
    this.#bytes = bytes;
    this.#at = from;
    this.size = from;
    this.#breaksOnly = breaksOnly;
  }

  /** Answers what is wrong: where, or in words. */
  *read(): Pieces<number | string | null> {
    for (let pause = PIECE; ; pause = this.#at + PIECE) {
      const wrong = this.#readTo(pause);
      if (wrong !== undefined) return wrong;
      yield;
    }
  }

  /** `undefined`: nothing is wrong so far. */
  #readTo(pause: number): number | string | null | undefined {
    const most = oddOnes(this.#bytes.length);
    for (;;) {
      this.#digits(pause);
      if (this.#at >= this.#bytes.length) return null;
      if (this.#at >= pause) return undefined;
      const wrong = this.#other();
      if (wrong !== null) return wrong;
      this.#others += 1;
      if (this.#others > most) return 'is more blanks and escapes than base64';
    }
  }

  /** Reads one of what the fast way does not take. */
  #other(): number | string | null {
    const code = this.#bytes[this.#at] ?? 0;
    const meaning = code === PERCENT ? this.#encoded() : (MEANINGS[code] ?? WRONG);
    if (meaning === WRONG) return this.#at;
    if (isDigit(meaning) && this.#padding !== -1) return this.#padding;
    if (isDigit(meaning) && this.#gap && this.#breaksOnly) return WHAT;
    this.#take(meaning, this.#at);
    this.#at += code === PERCENT ? 3 : 1;
    return null;
  }

  /** The fast way through what nearly all of it is. */
  #digits(pause: number): void {
    const bytes = this.#bytes;
    const end = Math.min(bytes.length, pause);
    if (this.#padding !== -1 || this.#gap) return;
    let { size } = this;
    let at = this.#at;
    for (; at < end; at += 1) {
      const code = bytes[at] ?? 0;
      const meaning = MEANINGS[code] ?? WRONG;
      if (!isDigit(meaning)) break;
      if (meaning !== code) this.odd = true;
      bytes[size] = meaning;
      size += 1;
    }
    if (at > this.#at) this.#fresh = false;
    this.#at = at;
    this.size = size;
  }

  #take(meaning: number, at: number): void {
    if (meaning === BREAK) {
      this.#fresh = true;
      this.#gap = false;
    } else if (meaning === SPACE) this.#gap ||= !this.#fresh;
    else if (meaning === EQUALS) this.#padding = this.#padding === -1 ? at : this.#padding;
    else {
      this.#fresh = false;
      this.#gap = false;
      this.#bytes[this.size] = meaning;
      this.size += 1;
    }
  }

  #encoded(): number {
    this.odd = true;
    if (this.#at + 2 >= this.#bytes.length) return WRONG;
    return ENCODED.get(this.#bytes.readUInt16BE(this.#at + 1)) ?? WRONG;
  }
}

/** `text`: with the head or without. One piece of memory: a text that is put together is copied when it is looked at next. */
type Digits = { size: number; odd: boolean; text: (headed: boolean) => string } | { problem: string };

/**
 * The digits of base64 from `start` on, behind a head: without blanks, in the common alphabet, padded; `odd` when they were written in
 * another alphabet or encoded. With `breaksOnly` a blank within a line is none of base64. One pass: a text may be as long as a body.
 */
function* digitsOf(text: string, start: number, o: { head: string; breaksOnly?: boolean }): Pieces<Digits> {
  const from = o.head.length;
  const { bytes, sent } = yield* bytesOf(o.head, text, start);
  const reader = new DigitReader(sent, from, o.breaksOnly ?? false);
  const wrong = yield* reader.read();
  if (typeof wrong === 'number') return wrongDigit(sent, wrong, start - from);
  if (wrong !== null) return { problem: wrong };
  const { odd } = reader;
  const size = reader.size - from;
  if (size === 0) return { problem: 'is base64 of nothing: it holds no image' };
  if (size % 4 === 1) return { problem: `is cut short: ${size} characters are no whole base64` };
  // Bits behind the last byte are made zero.
  const whole = reader.size - (size % 4);
  const last = Buffer.from(bytes.toString('latin1', whole, reader.size), 'base64').toString('base64');
  const end = whole + bytes.write(last, whole, 'latin1');
  return { size: end - from, odd, text: (headed) => bytes.toString('latin1', headed ? 0 : from, end) };
}

/** A head and a text in UTF-8, as `sent`, and the memory that they stand in, with room for padding. */
function* bytesOf(head: string, text: string, start: number): Pieces<{ bytes: Buffer; sent: Buffer }> {
  const bytes = Buffer.allocUnsafeSlow(head.length + Buffer.byteLength(text) + 4);
  let size = bytes.write(head, 'latin1');
  for (let at = start; at < text.length; ) {
    // Both halves of a pair of surrogates in one piece.
    const end = at + PIECE + (isHighSurrogate(text.charCodeAt(at + PIECE - 1)) ? 1 : 0);
    size += bytes.write(text.slice(at, end), size, 'utf8');
    at = end;
    yield;
  }
  return { bytes, sent: bytes.subarray(0, size) };
}

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code < 0xdc00;

function wrongDigit(bytes: Buffer, at: number, start: number): { problem: string } {
  const [char = ''] = bytes.toString('utf8', at, at + 4);
  return { problem: `is not base64 at character ${start + at + 1}: ${JSON.stringify(char)}` };
}
