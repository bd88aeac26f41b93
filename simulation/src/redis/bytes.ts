/**
 * Redis and Lua know bytes, not characters. In here a text is a string whose code units are its bytes (0 to 255), so that `#` of Lua,
 * lengths, order and equality are those of Redis. At the client it becomes UTF-8 text and back.
 */
export type Bytes = string;

const OUTSIDE_ASCII = /[^\0-\x7f]/;

/** The bytes of a text, in UTF-8. */
export const toBytes = (text: string): Bytes => (OUTSIDE_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text);

/** The text that these bytes are in UTF-8. */
export const toText = (bytes: Bytes): string =>
  OUTSIDE_ASCII.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes;

/** Bytes as they are, for what is no text. */
export const fromBuffer = (buffer: Uint8Array): Bytes => Buffer.from(buffer).toString('latin1');
