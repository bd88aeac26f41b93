/** About so many characters are written between two pauses. */
const PIECE = 32 * 1024;

export interface JsonPiecesOptions {
  /** Keys of objects in their order, so that the same value written in another order gives the same text. */
  sorted?: boolean;
  /** What is written in the place of an object; by default the object itself. */
  replace?: (value: object) => object;
}

interface Output {
  text: string;
}

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code < 0xdc00;

function* longText(text: string, output: Output): Generator<string, void> {
  output.text += '"';
  for (let at = 0; at < text.length; ) {
    const cut = at + PIECE;
    // Half of a pair would be written as an escape.
    const end = isHighSurrogate(text.charCodeAt(cut - 1)) ? cut + 1 : cut;
    output.text += JSON.stringify(text.slice(at, end)).slice(1, -1);
    at = end;
    yield output.text;
    output.text = '';
  }
  output.text += '"';
}

/** Names of what is written of an object, in their order. */
function namesOf(value: object, { sorted }: JsonPiecesOptions): string[] {
  const names = Object.keys(value).filter((name) => (value as Record<string, unknown>)[name] !== undefined);
  return sorted ? names.sort() : names;
}

/** Counted for an object or array beside what is in it, so that a deep one is soon known to be large. */
const CONTAINER = 512;
const PRIMITIVE = 8;
/** The signs around a name and its value. */
const ENTRY = 1;

/**
 * What is left of `room` after a value, in characters as far as they can be counted cheaply; below 0 the rest of it was not read.
 * @param container what counts for an object or array itself
 */
function roomAfter(value: unknown, room: number, container = CONTAINER): number {
  if (typeof value === 'string') return room - value.length;
  if (typeof value !== 'object' || value === null) return room - PRIMITIVE;
  let left = room - container;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length && left >= 0; i += 1) left = roomAfter(value[i], left - ENTRY, container);
    return left;
  }
  // Not by Object.entries, which makes a list of all that there is.
  for (const key in value) {
    if (left < 0) break;
    left = roomAfter((value as Record<string, unknown>)[key], left - key.length - ENTRY, container);
  }
  return left;
}

/** What is put in the place of an object, as JSON.stringify asks for it. */
const replacerOf = ({ replace }: JsonPiecesOptions) =>
  replace &&
  ((_key: string, each: unknown) => (typeof each === 'object' && each !== null && !Array.isArray(each) ? replace(each) : each));

/** The text of a small value, several times as quick as in pieces; `undefined` for one that is large. */
function smallText(value: unknown, o: JsonPiecesOptions): string | undefined {
  if (typeof value === 'object' && value !== null && roomAfter(value, PIECE) < 0) return undefined;
  if (typeof value === 'string' && value.length > PIECE) return undefined;
  return o.sorted ? sortedText(value, o) : (JSON.stringify(value, replacerOf(o)) ?? 'null');
}

function sortedText(value: unknown, o: JsonPiecesOptions): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map((each) => sortedText(each, o)).join(',')}]`;
  const written = (o.replace?.(value) ?? value) as Record<string, unknown>;
  const fields = namesOf(written, o).map((name) => `${JSON.stringify(name)}:${sortedText(written[name], o)}`);
  return `{${fields.join(',')}}`;
}

function* write(value: unknown, output: Output, o: JsonPiecesOptions): Generator<string, void> {
  const small = smallText(value, o);
  if (small !== undefined) output.text += small;
  else if (typeof value === 'string') yield* longText(value, output);
  else if (Array.isArray(value)) {
    output.text += '[';
    for (const [i, each] of value.entries()) {
      if (i > 0) output.text += ',';
      yield* write(each, output, o);
    }
    output.text += ']';
  } else if (typeof value === 'object' && value !== null) {
    output.text += '{';
    const written = (o.replace?.(value) ?? value) as Record<string, unknown>;
    for (const [i, name] of namesOf(written, o).entries()) {
      output.text += `${i > 0 ? ',' : ''}${JSON.stringify(name)}:`;
      yield* write(written[name], output, o);
    }
    output.text += '}';
  }
  if (output.text.length >= PIECE) {
    yield output.text;
    output.text = '';
  }
}

/** The text that JSON.stringify would write of a plain value, in pieces: whoever puts them together can let others have a turn between them. */
export function* jsonPieces(value: unknown, o: JsonPiecesOptions = {}): Generator<string, void> {
  const output: Output = { text: '' };
  yield* write(value, output, o);
  if (output.text !== '') yield output.text;
}

/** A character is written in at most so many bytes, as an escape; in as many stand the signs that count as one. */
const MOST_OF_CHARACTER = 6;

/** Whether the text of a plain value has more bytes than this. That of a small one is not written to find out, and of a large one no more than needed. */
export function isLonger(value: unknown, bytes: number, o: JsonPiecesOptions = {}): boolean {
  if (roomAfter(value, bytes / MOST_OF_CHARACTER - 1, 1) >= 0) return false;
  let seen = 0;
  for (const piece of jsonPieces(value, o)) {
    seen += Buffer.byteLength(piece);
    if (seen > bytes) return true;
  }
  return false;
}
