/** Says what is wrong. `syntax`: it is no JSON, and where; `behind`: something stands behind it; `limit`: as the end of a sentence about it; `key`: as a sentence. */
export class JsonRefusal extends Error {
  override readonly name = 'JsonRefusal';
  readonly kind: 'syntax' | 'behind' | 'limit' | 'key';

  constructor(kind: JsonRefusal['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

export const QUOTE = 0x22;
const [BACKSLASH, SMALL_U] = [0x5c, 0x75] as const;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const SIGNS = Buffer.from('+-.eE');
const WORDS: readonly (readonly [string, boolean | null])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

/** Texts are decoded in pieces of so many bytes. */
const PIECE_BYTES = 64 * 1024;
/** Bytes that are looked at between two pauses, each a nanosecond or a few. */
const SLICE_WORK = 128 * 1024;
/** What one token costs beside its bytes. */
const TOKEN_WORK = 64;

const isBlank = (code: number | undefined): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
const isOfNumber = (code: number | undefined): boolean =>
  code !== undefined && ((code >= 0x30 && code <= 0x39) || SIGNS.includes(code));
/** The middle of a code point of UTF-8. */
const goesOn = (code: number | undefined): boolean => code !== undefined && (code & 0xc0) === 0x80;

/** The tokens of a JSON text, one after another; counts the work that they are. */
export class JsonSource {
  readonly #bytes: Buffer;
  at = 0;
  #work = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get over(): boolean {
    return this.at >= this.#bytes.length;
  }

  get code(): number {
    return this.#bytes[this.at] ?? 0;
  }

  /** Goes to the next token; false when it is time for a pause before that. */
  toToken(): boolean {
    while (isBlank(this.#bytes[this.at]) && this.#work < SLICE_WORK) {
      this.at += 1;
      this.#work += 1;
    }
    if (this.#pausing()) return false;
    this.#work += TOKEN_WORK;
    return true;
  }

  #pausing(): boolean {
    if (this.#work < SLICE_WORK) return false;
    this.#work = 0;
    return true;
  }

  wrong(where = this.at): never {
    if (where >= this.#bytes.length) throw new JsonRefusal('syntax', 'it ends too early');
    const [found = ''] = this.#bytes.toString('utf8', where, where + 8);
    throw new JsonRefusal('syntax', `unexpected ${JSON.stringify(found)} at byte ${where + 1}`);
  }

  /** A text, from its first quote to behind its last. */
  *text(): Generator<undefined, string, void> {
    const pieces: string[] = [];
    let escaped = false;
    this.at += 1;
    for (;;) {
      const from = this.at;
      escaped = this.#passPiece() || escaped;
      if (this.over) this.wrong(this.#bytes.length);
      this.#work += this.at - from;
      pieces.push(this.#decoded(from, this.at));
      if (this.code === QUOTE) break;
      if (this.#pausing()) yield;
    }
    this.at += 1;
    const whole = pieces.length === 1 ? (pieces[0] ?? '') : pieces.join('');
    if (escaped && !whole.isWellFormed()) throw new JsonRefusal('limit', 'holds a lone surrogate (half of a Unicode pair)');
    return whole;
  }

  /** Goes to the end of the text, or on by a piece that ends between two characters. Answers whether an escape was passed. */
  #passPiece(): boolean {
    const bytes = this.#bytes;
    const cut = Math.min(this.at + PIECE_BYTES, bytes.length);
    const plain = this.#plainBytes(cut);
    let at = this.at + plain;
    let escaped = false;
    for (let code = bytes[at]; at < cut && code !== QUOTE; code = bytes[at]) {
      const isEscape = code === BACKSLASH;
      escaped ||= isEscape;
      at += isEscape ? (bytes[at + 1] === SMALL_U ? 6 : 2) : 1;
    }
    while (goesOn(bytes[at])) at += 1;
    this.at = at;
    return escaped;
  }

  /** How many bytes come before the first quote or escape: most texts are nothing else, for megabytes. */
  #plainBytes(to: number): number {
    const piece = this.#bytes.subarray(this.at, to);
    const quote = piece.indexOf(QUOTE);
    const plain = quote === -1 ? piece : piece.subarray(0, quote);
    const first = plain.indexOf(BACKSLASH);
    return first === -1 ? plain.length : first;
  }

  #decoded(from: number, to: number): string {
    try {
      return JSON.parse(`"${this.#bytes.toString('utf8', from, to)}"`) as string;
    } catch {
      return this.wrong(from);
    }
  }

  /** A number or a word. */
  scalar(mostBytes: number): unknown {
    const from = this.at;
    for (const [word, value] of WORDS) {
      if (this.#bytes.toString('latin1', from, from + word.length) !== word) continue;
      this.at += word.length;
      return value;
    }
    while (isOfNumber(this.#bytes[this.at]) && this.at - from <= mostBytes) this.at += 1;
    if (this.at - from > mostBytes) throw new JsonRefusal('limit', `holds a number of more than ${mostBytes} characters`);
    const digits = this.#bytes.toString('latin1', from, this.at);
    return NUMBER.test(digits) ? Number(digits) : this.wrong(from);
  }
}
