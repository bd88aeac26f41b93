import { says } from './chat-meaning.ts';
import type { ChatChunk, ChatCompletion } from './chat-schema.ts';
import { BESIDE, type Growing, grow, IN_MESSAGE, integerOf } from './join.ts';
import { isFields, isVoid } from './json-values.ts';
import { GrowingMessage } from './message.ts';

/** Nobody asks for more choices at once; a larger number is none. */
const CHOICES = 128;

/** Each choice with its number: its own, else its place in the chunk. Nothing but objects are choices. */
export function* numbered(choices: unknown): Generator<readonly [index: number, choice: Growing]> {
  if (!Array.isArray(choices)) return;
  for (const [at, choice] of choices.entries()) {
    if (!isFields(choice)) continue;
    const index = integerOf(choice['index']);
    yield [index !== undefined && index >= 0 && index < CHOICES ? index : at, choice];
  }
}

/** Turns the chunks of a stream into the completion that a plain call would have answered (upstream.md §6.1). */
export class CompletionAssembler {
  #head: Growing = {};
  readonly #choices = new Map<number, { rest: Growing; message: GrowingMessage }>();

  add(chunk: ChatChunk): this {
    const { choices, ...head } = chunk;
    this.#head = grow(this.#head, head, BESIDE);
    for (const [index, choice] of numbered(choices)) this.#addChoice(index, choice);
    return this;
  }

  /** No choice was seen. */
  get empty(): boolean {
    return this.#choices.size === 0;
  }

  completion(): ChatCompletion {
    const choices = [...this.#choices]
      .sort(([a], [b]) => a - b)
      .map(([index, { rest, message }]) => ({ ...rest, index, message: message.result() }));
    return { ...this.#head, object: 'chat.completion', choices };
  }

  #addChoice(index: number, { delta, message, ...rest }: Growing): void {
    const sofar = this.#choices.get(index) ?? { rest: {}, message: new GrowingMessage() };
    sofar.rest = grow(sofar.rest, rest, BESIDE);
    const [piece, whole] = [asMessage(delta), asMessage(message)];
    if (says(whole)) sofar.message.addWhole(whole, piece);
    else sofar.message.add(grow(whole, piece, IN_MESSAGE));
    this.#choices.set(index, sofar);
  }
}

/** A delta or a message as an object; in odd answers it is the content alone. */
const asMessage = (value: unknown): Growing => (isFields(value) ? value : isVoid(value) ? {} : { content: value });

/** The completion of a whole stream. */
export async function assemble(chunks: AsyncIterable<ChatChunk> | Iterable<ChatChunk>): Promise<ChatCompletion> {
  const assembler = new CompletionAssembler();
  for await (const chunk of chunks) assembler.add(chunk);
  return assembler.completion();
}
