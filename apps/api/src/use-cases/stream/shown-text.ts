import { createHash, type Hash } from 'node:crypto';
import { type Chunk, TEXT_FIELDS } from '@grsai-jobs/job-store';

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
const choicesOf = (value: unknown): Fields[] =>
  isFields(value) && Array.isArray(value['choices']) ? value['choices'].filter(isFields) : [];
const isVoid = (value: unknown): boolean => value === undefined || value === null || value === '';

/** Surrogates may stand alone at the end of a piece, so characters are hashed as they are, not as UTF-8. */
const bytesOf = (text: string): Buffer => Buffer.from(text, 'utf16le');
const hashed = (text: string): string => createHash('sha256').update(bytesOf(text)).digest('hex');

/** What of an answer is not shown yet: all is, this much of it is not, or nobody can tell. */
export type Rest = { kind: 'none' } | { kind: 'rest'; chunk: Chunk } | { kind: 'unclear' };

/** Knows how much of an answer was shown in pieces, without holding it. */
export class ShownText {
  readonly #texts = new Map<string, { hash: Hash; length: number }>();
  #isPlain = true;
  #isEnded = false;

  add(chunk: Chunk): void {
    for (const { index, delta, message, finish_reason } of choicesOf(chunk)) {
      if (!isVoid(finish_reason)) this.#isEnded = true;
      if (isVoid(delta) && isVoid(message)) continue;
      const isPlain = (index === 0 || isVoid(index)) && isFields(delta) && isVoid(message);
      this.#isPlain &&= isPlain && Object.entries(delta).every(([name, value]) => this.#take(name, value));
    }
  }

  /** Whether it is a text that can be told again; takes it. */
  #take(name: string, value: unknown): boolean {
    if (name === 'role' || isVoid(value)) return true;
    if (typeof value !== 'string' || !(TEXT_FIELDS as readonly string[]).includes(name)) return false;
    const text = this.#texts.get(name) ?? { hash: createHash('sha256'), length: 0 };
    text.hash.update(bytesOf(value));
    text.length += value.length;
    this.#texts.set(name, text);
    return true;
  }

  /** What of a completion was not shown, provided that what was shown is its beginning. */
  restOf(completion: unknown): Rest {
    const choices = choicesOf(completion);
    const [{ message, finish_reason = null, ...choice } = {}] = choices;
    if (!this.#isPlain || choices.length !== 1 || !isFields(message)) return { kind: 'unclear' };
    const delta: Fields = {};
    for (const name of TEXT_FIELDS) {
      const [whole, shown] = [message[name] ?? '', this.#texts.get(name)];
      if (typeof whole !== 'string') return { kind: 'unclear' };
      const length = shown?.length ?? 0;
      if (shown !== undefined && hashed(whole.slice(0, length)) !== shown.hash.copy().digest('hex')) return { kind: 'unclear' };
      if (whole.length > length) delta[name] = whole.slice(length);
    }
    const others = Object.entries(message).filter(
      ([name]) => name !== 'role' && !(TEXT_FIELDS as readonly string[]).includes(name),
    );
    if (Object.keys(delta).length === 0 && this.#isEnded) return { kind: 'none' };
    return {
      kind: 'rest',
      chunk: {
        ...headOf(completion),
        choices: [{ ...choice, delta: { ...Object.fromEntries(others), ...delta }, finish_reason }],
      },
    };
  }
}

const headOf = (completion: unknown): Fields => ({ ...(completion as Fields), object: 'chat.completion.chunk' });

/** A whole completion as one piece. */
export const asOnePiece = (completion: unknown): Chunk => ({
  ...headOf(completion),
  choices: choicesOf(completion).map(({ message, ...choice }) => ({ ...choice, delta: message })),
});
