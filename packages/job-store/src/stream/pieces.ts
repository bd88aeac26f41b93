/** A piece of an answer, as upstream sent it. */
export type Chunk = Readonly<Record<string, unknown>>;

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What of a message comes as a text in pieces. */
export const TEXT_FIELDS = ['content', 'reasoning_content', 'reasoning'] as const;
type TextField = (typeof TEXT_FIELDS)[number];

/** A chunk that adds a text to its one choice, and says nothing else. */
interface TextChunk {
  readonly field: TextField;
  readonly text: string;
}

function asText(chunk: Chunk): TextChunk | undefined {
  const { choices } = chunk;
  const [choice] = Array.isArray(choices) && choices.length === 1 ? (choices as unknown[]) : [];
  if (!isFields(choice) || (choice['finish_reason'] ?? null) !== null || !isFields(choice['delta'])) return undefined;
  const { delta } = choice;
  const [field, ...more] = TEXT_FIELDS.filter((name) => typeof delta[name] === 'string' && delta[name] !== '');
  return field === undefined || more.length > 0 ? undefined : { field, text: delta[field] as string };
}

/** The same chunk with another text. Fields stay in their order. */
function withText(chunk: Chunk, field: TextField, text: string): Chunk {
  const [choice] = chunk['choices'] as [Fields];
  return { ...chunk, choices: [{ ...choice, delta: { ...(choice['delta'] as Fields), [field]: text } }] };
}

/**
 * Pieces as they are kept: a list of chunks, in which a text stands for a chunk that is like the last one of its kind but for the text. Most of a
 * chunk is the same in all of them. Texts in a row that were not taken yet become one.
 */
export class PieceEncoder {
  #like = '';
  #pieces: (Chunk | string)[] = [];
  #chars = 0;

  add(chunk: Chunk): void {
    const said = asText(chunk);
    if (said === undefined) {
      this.#push(chunk, JSON.stringify(chunk).length);
      return;
    }
    const like = `${said.field} ${JSON.stringify(withText(chunk, said.field, ''))}`;
    const last = this.#pieces.at(-1);
    if (like !== this.#like) {
      this.#like = like;
      this.#push(chunk, like.length + said.text.length);
    } else if (typeof last === 'string') {
      this.#pieces[this.#pieces.length - 1] = last + said.text;
      this.#chars += said.text.length;
    } else {
      this.#push(said.text, said.text.length);
    }
  }

  /** Roughly how many characters wait to be taken. */
  get chars(): number {
    return this.#chars;
  }

  get empty(): boolean {
    return this.#pieces.length === 0;
  }

  /** What has come since it was asked last, as JSON. */
  take(): { pieces: string; count: number } {
    const taken = { pieces: JSON.stringify(this.#pieces), count: this.#pieces.length };
    this.#pieces = [];
    this.#chars = 0;
    return taken;
  }

  #push(piece: Chunk | string, chars: number): void {
    this.#pieces.push(piece);
    this.#chars += chars;
  }
}

/** Reads what an encoder wrote, from its beginning and in its order. */
export class PieceDecoder {
  #like: { chunk: Chunk; field: TextField } | undefined;

  read(pieces: string): Chunk[] {
    return (JSON.parse(pieces) as (Chunk | string)[]).flatMap((piece) => {
      if (typeof piece === 'string') return this.#like === undefined ? [] : [withText(this.#like.chunk, this.#like.field, piece)];
      const said = asText(piece);
      if (said !== undefined) this.#like = { chunk: piece, field: said.field };
      return [piece];
    });
  }
}
