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

const entriesOf = (value: object, { sorted }: JsonPiecesOptions): [string, unknown][] => {
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return sorted ? entries.sort(([a], [b]) => (a < b ? -1 : 1)) : entries;
};

function* write(value: unknown, output: Output, o: JsonPiecesOptions): Generator<string, void> {
  if (typeof value === 'string' && value.length > PIECE) yield* longText(value, output);
  else if (typeof value !== 'object' || value === null) output.text += JSON.stringify(value) ?? 'null';
  else if (Array.isArray(value)) {
    output.text += '[';
    for (const [i, each] of value.entries()) {
      if (i > 0) output.text += ',';
      yield* write(each, output, o);
    }
    output.text += ']';
  } else {
    output.text += '{';
    for (const [i, [key, each]] of entriesOf(o.replace?.(value) ?? value, o).entries()) {
      output.text += `${i > 0 ? ',' : ''}${JSON.stringify(key)}:`;
      yield* write(each, output, o);
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
