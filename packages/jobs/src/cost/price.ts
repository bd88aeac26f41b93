import type { CatalogueModel } from '../catalogue/catalogue.ts';
import type { ChatInput } from '../request.ts';

/** What a paid call of a job costs, as the catalogue said when the job was accepted. In whole credits. */
export interface JobPrice {
  /** What a call sets aside: its price, or what its tokens may come to. */
  readonly reserve: number;
  /** For a million tokens; left out where a call has one price. */
  readonly tokens?: { readonly input: number; readonly output: number };
  /** Whether credits come back of a call that failed upstream, or broke the content policy. */
  readonly refunds: { readonly error: boolean; readonly violation: boolean };
  /** Nothing but the table of this version has it: it may be out of date. */
  readonly isOld: boolean;
}

/** A chat that does not limit its answer is expected to stop by then. */
const ANSWER_TOKENS = 4096;
const CHARACTERS_PER_TOKEN = 3;
const MILLION = 1_000_000;

/** The part of a request that its price depends on. */
export type Priced =
  | { readonly type: 'image' }
  | {
      readonly type: 'chat';
      readonly input: Pick<ChatInput, 'max_tokens' | 'max_completion_tokens'> & {
        readonly messages: readonly { readonly content: string | readonly object[] }[];
      };
    };

/** `null`: the catalogue has no price for what is asked for, and a wrong one would be worse. */
export function priceOf(model: CatalogueModel | undefined, asked: Priced): JobPrice | null {
  const price = model?.price;
  if (!model || !price || 'per_second' in price) return null;
  const terms = {
    // Credits of failed work come back, those of a violation do not, where the catalogue says nothing else.
    refunds: { error: model.refunds.error ?? true, violation: model.refunds.violation ?? false },
    isOld: model.priceFrom === 'table',
  };
  if ('credits' in price) return { reserve: Math.ceil(price.credits), ...terms };
  if (asked.type !== 'chat') return null;
  const { messages, max_tokens, max_completion_tokens } = asked.input;
  const expected = {
    prompt: Math.ceil(charactersOf(messages) / CHARACTERS_PER_TOKEN),
    completion: Math.min(max_completion_tokens ?? max_tokens ?? ANSWER_TOKENS, ANSWER_TOKENS),
  };
  return { reserve: creditsFor(expected, price), tokens: { input: price.input, output: price.output }, ...terms };
}

export interface Tokens {
  readonly prompt: number;
  readonly completion: number;
}

/** What tokens cost, rounded up to whole credits. */
export const creditsFor = ({ prompt, completion }: Tokens, { input, output }: { input: number; output: number }): number =>
  Math.ceil((prompt * input + completion * output) / MILLION);

function charactersOf(messages: readonly { readonly content: string | readonly object[] }[]): number {
  let characters = 0;
  for (const { content } of messages) {
    if (typeof content === 'string') characters += content.length;
    else for (const part of content) if ('text' in part && typeof part.text === 'string') characters += part.text.length;
  }
  return characters;
}

/** The tokens that an answer says it took; `null`: it says nothing that could be read. */
export function tokensOf(completion: unknown): Tokens | null {
  const usage = isObject(completion) ? completion['usage'] : undefined;
  if (!isObject(usage)) return null;
  const [prompt, answer] = [countOf(usage['prompt_tokens']), countOf(usage['completion_tokens'])];
  return prompt === undefined || answer === undefined ? null : { prompt, completion: answer };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
/** A count as a number, or as the text of one. */
function countOf(value: unknown): number | undefined {
  const count = typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}
