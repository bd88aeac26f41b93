import type { ChatChunk, ChatCompletion } from './chat-schema.ts';

type Choice = ChatChunk['choices'][number];
type Delta = NonNullable<Choice['delta']>;

/** What a chunk adds to a choice so far. */
function grow(sofar: Record<string, unknown>, added: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const next = { ...sofar };
  for (const [name, value] of Object.entries(added)) {
    if (value === undefined || value === null) {
      if (!(name in next)) next[name] = value;
    } else next[name] = join(next[name], value, name);
  }
  return next;
}

/** Texts that come in pieces; all others come whole, and the last one counts. */
const PIECES: ReadonlySet<string> = new Set(['content', 'reasoning_content', 'reasoning', 'refusal', 'arguments']);

function join(sofar: unknown, added: unknown, name: string): unknown {
  if (typeof sofar === 'string' && typeof added === 'string')
    return PIECES.has(name) ? sofar + added : added === '' ? sofar : added;
  if (Array.isArray(added)) return joinLists(Array.isArray(sofar) ? sofar : [], added);
  if (isObject(sofar) && isObject(added)) return grow(sofar, added);
  return added;
}

/** Items with an `index` (tool calls) are merged by it, others are appended. */
function joinLists(sofar: readonly unknown[], added: readonly unknown[]): unknown[] {
  const list = [...sofar];
  for (const item of added) {
    const index = isObject(item) ? item['index'] : undefined;
    const at = typeof index === 'number' ? list.findIndex((known) => isObject(known) && known['index'] === index) : -1;
    if (at === -1) list.push(item);
    else list[at] = grow(list[at] as Record<string, unknown>, item as Record<string, unknown>);
  }
  return list;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Turns the chunks of a stream into the completion that a plain call would have answered (grsai-api §6.1). */
export class CompletionAssembler {
  #head: Record<string, unknown> = {};
  readonly #choices = new Map<number, { rest: Record<string, unknown>; message: Record<string, unknown> }>();

  add(chunk: ChatChunk): this {
    const { choices, ...head } = chunk;
    this.#head = grow(this.#head, head);
    for (const choice of choices) this.#addChoice(choice);
    return this;
  }

  /** No choice was seen. */
  get empty(): boolean {
    return this.#choices.size === 0;
  }

  completion(): ChatCompletion {
    const choices = [...this.#choices]
      .sort(([a], [b]) => a - b)
      .map(([index, { rest, message }]) => ({ ...rest, index, message }));
    return { ...this.#head, object: 'chat.completion', choices } as ChatCompletion;
  }

  #addChoice({ delta, ...rest }: Choice): void {
    const index = rest.index ?? 0;
    const sofar = this.#choices.get(index) ?? { rest: {}, message: { role: 'assistant', content: '' } };
    this.#choices.set(index, { rest: grow(sofar.rest, rest), message: grow(sofar.message, (delta ?? {}) as Delta) });
  }
}

/** The completion of a whole stream. */
export async function assemble(chunks: AsyncIterable<ChatChunk> | Iterable<ChatChunk>): Promise<ChatCompletion> {
  const assembler = new CompletionAssembler();
  for await (const chunk of chunks) assembler.add(chunk);
  return assembler.completion();
}
