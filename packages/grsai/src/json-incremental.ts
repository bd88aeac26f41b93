const OPEN = new Set([0x7b, 0x5b]);
const CLOSE = new Set([0x7d, 0x5d]);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Also what some put between values: a byte order mark, NUL, and the record separator of RFC 7464. */
const isSpace = (code: number): boolean =>
  code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xfeff || code === 0 || code === 0x1e;

/**
 * Finds the end of one JSON object or array in a text that comes in pieces, without building it. The gateway may
 * send a whole answer and keep the connection open (upstream.md §12 T12), so the end of the body is not to be waited for.
 */
export class JsonEnd {
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** What is being read is no object or array, so no end will be found. */
  #opaque = false;
  readonly #special = /["\\]/g;

  /** A value has begun and not ended. */
  get inside(): boolean {
    return this.#depth > 0;
  }

  /** Reads `text` from `from`; the index after the closing bracket, or -1 while it is still to come. */
  feed(text: string, from: number, to: number = text.length): number {
    if (this.#opaque) return -1;
    for (let at = from; at < to; at++) {
      if (this.#inString && !this.#escaped) at = this.#passPlain(text, at, to);
      if (at === to) return -1;
      if (this.#step(text.charCodeAt(at))) return at + 1;
      if (this.#opaque) return -1;
    }
    return -1;
  }

  /** Ready for the next value. */
  reset(): void {
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    this.#opaque = false;
  }

  /** To what ends a string or escapes in it. Most of an answer is plain, and nothing of it is looked at one by one. */
  #passPlain(text: string, from: number, to: number): number {
    this.#special.lastIndex = from;
    return this.#special.test(text) ? Math.min(this.#special.lastIndex - 1, to) : to;
  }

  #step(code: number): boolean {
    if (this.#inString) {
      this.#inside(code);
      return false;
    }
    if (this.#depth === 0 && !OPEN.has(code)) {
      this.#opaque = !isSpace(code);
      return false;
    }
    if (code === QUOTE) this.#inString = true;
    else if (OPEN.has(code)) this.#depth++;
    else if (CLOSE.has(code)) this.#depth--;
    return this.#depth === 0;
  }

  #inside(code: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (code === BACKSLASH) this.#escaped = true;
    else if (code === QUOTE) this.#inString = false;
  }
}
