import { numbered } from './assemble.ts';
import type { CallerWords } from './caller-words.ts';
import { choiceSays, endReasonsOf, reasonOf, says } from './chat-meaning.ts';
import type { ChatChunk, ChatChunkChoice, ChatCompletion } from './chat-schema.ts';
import { classifyText } from './classify.ts';
import type { Document } from './documents.ts';
import { saysNo } from './envelope.ts';
import { withChoiceNames, withUpstreamNames } from './field-names.ts';
import { type Fields, isFields, isVoid, parsed, textOf } from './json-values.ts';
import { isBareFlag, saysAllWell, wordsOf } from './said-words.ts';
import { isOngoing } from './task-state.ts';

/** What the caller wrote, which proves nothing. */
type Words = (() => CallerWords) | undefined;

/** What one JSON value of an answer is. */
export type Reading =
  /** Choices, maybe none, and what stands beside them. */
  | { readonly kind: 'chunk'; readonly chunk: ChatChunk }
  /** The end of a stream. */
  | { readonly kind: 'done' }
  /** A sign of life. */
  | { readonly kind: 'nothing' }
  /** Upstream says in these words that something is wrong. */
  | { readonly kind: 'error'; readonly words: string }
  /** It may hold a piece of the answer, and nobody knows which. */
  | { readonly kind: 'unreadable' };

const DONE = /^"?\[DONE\]"?$/i;

/** What gateways send while nothing else comes. */
const ALIVE = /^[\W_]*(?:ping|pong|keep[-_ ]?alive|heart[-_ ]?beat)[\W_]*$/i;

/**
 * Reads one value of an answer. Only what decides something is looked at: an error, and whether there are choices. All other fields pass
 * whatever their type, so that nothing is dropped for an odd field beside it. A list is read item by item.
 */
export function readChat(document: Document, words?: Words): Reading[] {
  const { value, text, event = '' } = document;
  if (DONE.test(text)) return [{ kind: 'done' }];
  if (isDeeper(value, DEEPEST)) return [{ kind: 'unreadable' }];
  if (Array.isArray(value)) return value.flatMap((item) => readChat({ ...document, text: '', value: item ?? null }, words));
  if (isFields(value)) return [readFields(value, event, words)];
  const said = typeof value === 'string' ? value : value === undefined ? text : '';
  if (event === 'error') return [{ kind: 'error', words: said || 'error' }];
  return [{ kind: said.trim() === '' || ALIVE.test(said) || ALIVE.test(event) ? 'nothing' : 'unreadable' }];
}

/** No answer is nested like this; what reads it would run out of stack. */
const DEEPEST = 1000;

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1)));

/** Envelopes inside envelopes that are looked through. */
const DEPTH = 3;

function readFields(outer: Fields, event: string, words: Words): Reading {
  const { fields, said } = opened(outer, event, words);
  if (said !== '') return { kind: 'error', words: said };
  const choices = choicesOf(fields);
  if (choices === undefined) return { kind: 'unreadable' };
  const wrong = choices.map((choice) => wordsOf(choice['error'])).find((each) => each !== '');
  if (wrong !== undefined) return { kind: 'error', words: wrong };
  if (event === 'error') return { kind: 'error', words: remarkOf(fields) || 'error' };
  if ('choices' in fields || !isVoid(fields['usage'])) return { kind: 'chunk', chunk: { ...fields, choices } };
  return { kind: says(piecesIn(fields)) ? 'unreadable' : 'nothing' };
}

/** What is in the envelopes, or what one of them says is wrong. */
function opened(outer: Fields, event: string, words: Words): { fields: Fields; said: string } {
  let fields = outer;
  for (let depth = 0; depth < DEPTH; depth++) {
    if (!('choices' in fields)) fields = withUpstreamNames(fields);
    const said = errorIn(fields);
    if (said !== '' || 'choices' in fields) return { fields, said };
    const refused = refusalOf(fields, event, words);
    const inside = refused === '' ? inner(fields) : undefined;
    if (inside === undefined) return { fields, said: refused };
    fields = inside;
  }
  return { fields, said: '' };
}

/** What `error` says; where that is a mere yes, what is said beside it. */
function errorIn(fields: Fields): string {
  const words = wordsOf(fields['error']);
  const bare = fields['error'] === true || isBareFlag(words);
  return bare ? remarkOf(fields) || words || 'error' : words;
}

/** Names that the object around a completion has, beside `data`. */
const AROUND = ['result', 'response', 'body', 'payload', 'output', 'completion'] as const;

/** What an envelope holds, also where that is written as JSON in a text, or as a list of one. */
function inner(fields: Fields): Fields | undefined {
  const data = parsed(fields['data']);
  const only = soleOf(data);
  if (isFields(only)) return only;
  const texts = AROUND.map((name) => soleOf(parsed(fields[name])));
  return [...texts, ...(isVoid(fields['usage']) ? Object.values(fields).map(soleOf) : [])].find(isCompletion);
}

const soleOf = (value: unknown): unknown => (Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value);

/** What makes it one; under any name it is no echo of a request, which has neither. */
function isCompletion(value: unknown): value is Fields {
  const fields = isFields(value) ? withUpstreamNames(value) : {};
  return 'choices' in fields || isFields(fields['usage']);
}

/** The choices, which are a list of objects or something that can be read as one; `undefined` when it cannot. */
function choicesOf(fields: Fields): ChatChunkChoice[] | undefined {
  const choices = parsed(fields['choices']);
  if (isVoid(choices)) return [];
  if (isFields(choices)) {
    const choice = withChoiceNames(choices);
    if (['message', 'delta', 'text', 'finish_reason'].some((name) => name in choice)) return [choiceOf(choices)];
    const values = Object.values(choices);
    return values.every(isFields) ? values.map(choiceOf) : undefined;
  }
  if (!Array.isArray(choices)) return undefined;
  const present: unknown[] = choices.filter((choice) => !isVoid(choice));
  return present.every(isFields) ? present.map(choiceOf) : undefined;
}

/** One choice under the names of OpenAI. What it says itself, in the place of a message, is one. */
function choiceOf(value: Fields): ChatChunkChoice {
  const choice = withChoiceNames(value);
  if (['message', 'delta', 'text'].some((name) => !isVoid(choice[name]))) return choice;
  const own = soleOf(choice['messages'] ?? choice['content']);
  if (isVoid(own)) return choice;
  return { ...choice, message: isFields(own) && 'content' in own ? own : { role: 'assistant', content: own as string } };
}

/** Where other dialects keep what is said. */
const piecesIn = ({ content, text, delta, message, output, output_text, candidates, completion, response }: Fields): unknown => ({
  pieces: [content, text, delta, isFields(message) ? message : '', output, output_text, candidates, completion, response],
});

/** What upstream says is wrong in words that are no `error`, where there are no choices. */
function refusalOf(fields: Fields, event: string, words: Words): string {
  const remark = remarkOf(fields);
  const word = textOf(fields['code']);
  const code = Number(word);
  // A code of HTTP that is fine is fine here too; a name of one wants words beside it.
  const fine = Number.isNaN(code) ? remark === '' || saysAllWell(word) : code === 0 || (code >= 200 && code < 300);
  if (!fine) return remark || `code ${code}`;
  const isError = event === 'error' || fields['type'] === 'error' || fields['object'] === 'error' || saysNo(fields);
  if (isError) return remark || 'error';
  // While the call waits for its turn, words that would refuse it say for how long.
  if (isOngoing(textOf(fields['status']))) return '';
  return isVoid(fields['data']) && classifyText(remark, words).category !== 'unknown' ? remark : '';
}

const remarkOf = (fields: Fields): string => {
  for (const name of ['message', 'msg', 'detail', 'error_msg', 'error_message', 'reason', 'description']) {
    const words = isFields(fields[name]) ? '' : wordsOf(fields[name]);
    if (words !== '') return words;
  }
  return '';
};

/** A completion that came whole, as it came; `undefined` when the value is a piece of one. */
export const wholeOf = (chunk: ChatChunk): ChatCompletion | undefined =>
  chunk.choices.some(({ delta }) => delta !== undefined && delta !== null) ? undefined : (chunk as ChatCompletion);

/** A whole completion as the one chunk of a stream. */
export const asChunk = ({ choices, ...head }: ChatCompletion): ChatChunk => ({
  ...head,
  choices: choices.map(({ message, ...rest }) => ({
    ...rest,
    finish_reason: reasonOf(rest.finish_reason) === undefined ? 'stop' : (rest.finish_reason ?? null),
    delta: message,
  })),
});

/** Knows how far the choices of a stream have come. */
export class StreamEnd {
  readonly #ended = new Map<number, boolean>();
  #early = false;

  /** Some choice was seen. */
  get begun(): boolean {
    return this.#ended.size > 0;
  }

  /** Some choice has a `finish_reason`. */
  get named(): boolean {
    return [...this.#ended.values()].includes(true);
  }

  /** Every choice has one. */
  get whole(): boolean {
    return this.begun && ![...this.#ended.values()].includes(false);
  }

  /** Nothing more is to come: every choice has a `finish_reason`, and none went on after it. */
  get reached(): boolean {
    return this.whole && !this.#early;
  }

  add(chunk: ChatChunk): void {
    // Beside the choices it is that of all of them.
    const ends = endReasonsOf({ ...chunk, message: undefined }).length > 0;
    for (const [index, choice] of numbered(chunk.choices)) {
      const ended = this.#ended.get(index) === true;
      if (ended && choiceSays(choice)) this.#early = true;
      this.#ended.set(index, ended || endReasonsOf(choice).length > 0);
    }
    if (ends) for (const index of this.#ended.keys()) this.#ended.set(index, true);
  }
}
