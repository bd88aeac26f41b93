/**
 * A completion as the schemas of OpenAI's clients want it. Upstream sends odd ones: a client that finds a list where it expects a number throws
 * away what was paid for. Fields that no client checks stand as they came.
 */

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const textOr = (value: unknown, otherwise: string): string => (typeof value === 'string' && value !== '' ? value : otherwise);

function integer(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(Math.trunc(number)) ? Math.trunc(number) : undefined;
}

/** The text of what may be parts, some of them thoughts. */
function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) return content.map(contentText).join('');
  if (!isFields(content)) return '';
  return textOr(content['text'], text(content['content']) ?? '');
}

/** Numbers, and objects of numbers; all else is left out. */
function numbersIn(value: unknown): Fields | undefined {
  if (!isFields(value)) return undefined;
  const kept = Object.entries(value).flatMap(([name, each]): [string, unknown][] => {
    const number = integer(each) ?? (isFields(each) ? numbersIn(each) : undefined);
    return number === undefined ? [] : [[name, number]];
  });
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** Usage with both counts, or none at all. */
function usageOf(value: unknown): Fields | undefined {
  const usage = numbersIn(value);
  const [prompt, completion] = [integer(usage?.['prompt_tokens']), integer(usage?.['completion_tokens'])];
  if (usage === undefined || prompt === undefined || completion === undefined) return undefined;
  return { ...usage, total_tokens: integer(usage['total_tokens']) ?? prompt + completion };
}

const isToolCall = (call: unknown): boolean =>
  isFields(call) &&
  isFields(call['function']) &&
  typeof call['function']['name'] === 'string' &&
  typeof call['function']['arguments'] === 'string';
const isCitation = (note: unknown): boolean =>
  isFields(note) && note['type'] === 'url_citation' && isFields(note['url_citation']);

/** Fields of a message that some client checks, and what it wants; what is not that is left out. */
const IN_MESSAGE: Readonly<Record<string, (value: unknown) => boolean>> = {
  refusal: (value) => typeof value === 'string',
  reasoning: (value) => typeof value === 'string',
  reasoning_content: (value) => typeof value === 'string',
  tool_calls: (value) => Array.isArray(value) && value.length > 0 && value.every(isToolCall),
  annotations: (value) => Array.isArray(value) && value.every(isCitation),
  function_call: () => false,
  audio: () => false,
  name: (value) => typeof value === 'string',
};

const kept = (fields: Fields, wanted: typeof IN_MESSAGE): Fields =>
  Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => (Object.hasOwn(wanted, name) ? wanted[name]?.(value) : value !== undefined)),
  );

/** What the model said; beside a message without words it may have done so as the old completions do. */
function messageOf(value: unknown, beside: unknown): Fields {
  const message = isFields(value) ? value : { content: value };
  const content = contentText(message['content']) || contentText(beside);
  return { refusal: null, ...kept(message, IN_MESSAGE), role: 'assistant', content };
}

/** What stands around the choices of a completion or a chunk. */
function headOf(value: Fields, o: { id: string; model: string; created: number; object: string }): Fields {
  const { choices: _, usage: __, system_fingerprint, service_tier, ...rest } = value;
  return {
    ...rest,
    id: textOr(value['id'], o.id),
    object: o.object,
    created: integer(value['created']) ?? o.created,
    model: textOr(value['model'], o.model),
    ...(typeof system_fingerprint === 'string' && system_fingerprint !== '' ? { system_fingerprint } : {}),
    ...(typeof service_tier === 'string' ? { service_tier } : {}),
  };
}

/** The number of a choice: its own where that is one. */
const indexOf = (choice: Fields, at: number): number => {
  const own = integer(choice['index']);
  return own !== undefined && own >= 0 ? own : at;
};

/** What stands for what is missing. */
export interface CompletionFallbacks {
  id: string;
  model: string;
  /** Seconds since 1970. */
  created: number;
}

/** A whole completion. */
export function openAiCompletion(completion: unknown, fallbacks: CompletionFallbacks): Fields {
  const whole = isFields(completion) ? completion : {};
  const choices = Array.isArray(whole['choices']) ? whole['choices'].filter(isFields) : [];
  const usage = usageOf(whole['usage']);
  return {
    ...headOf(whole, { ...fallbacks, object: 'chat.completion' }),
    choices: choices.map(({ message, finish_reason, ...rest }, at) => ({
      ...rest,
      index: indexOf(rest, at),
      message: messageOf(message, rest['text']),
      logprobs: null,
      finish_reason: typeof finish_reason === 'string' ? finish_reason : 'stop',
    })),
    ...(usage === undefined ? {} : { usage }),
  };
}

const isToolCallPiece = (call: unknown): boolean =>
  isFields(call) &&
  Number.isInteger(call['index']) &&
  (call['function'] === undefined ||
    (isFields(call['function']) && Object.values(call['function']).every((each) => typeof each === 'string')));

const IN_DELTA: typeof IN_MESSAGE = {
  ...IN_MESSAGE,
  tool_calls: (value) => Array.isArray(value) && value.length > 0 && value.every(isToolCallPiece),
};

/** What a piece adds to what the model said. */
function deltaOf(value: unknown, isFirst: boolean): Fields {
  const { role, content, ...rest } = isFields(value) ? value : { role: undefined, content: value };
  return {
    ...kept(rest, IN_DELTA),
    ...(isFirst || role === 'assistant' ? { role: 'assistant' } : {}),
    ...(isFirst || (content !== undefined && content !== null) ? { content: contentText(content) } : {}),
  };
}

/** From this length on a message that is all that was said repeats it, and does not say the same once more. */
const CHANCE = 20;

const isVoid = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (isFields(value) && Object.keys(value).length === 0);

/**
 * What a stream has said, by choices. Upstream may send the whole message so far in the place of a piece, or once more at the end: whoever reads
 * pieces gets what is new of it.
 */
export class Said {
  readonly #choices = new Map<number, { text: string; pieces: boolean }>();

  /** What a choice adds to what was said. */
  pieceOf(index: number, { delta, message, text }: Fields): unknown {
    const sofar = this.#choices.get(index) ?? { text: '', pieces: false };
    const isPiece = !isVoid(delta) || isVoid(message);
    const piece = isPiece ? (isVoid(delta) && !isVoid(text) ? text : delta) : this.#newOf(message, sofar);
    const added = contentText(isFields(piece) ? piece['content'] : piece);
    this.#choices.set(index, { text: sofar.text + added, pieces: sofar.pieces || (isPiece && added !== '') });
    return piece;
  }

  #newOf(message: unknown, { text, pieces }: { text: string; pieces: boolean }): unknown {
    const whole = contentText(isFields(message) ? message['content'] : message);
    const repeats = text !== '' && whole.startsWith(text) && (pieces || whole.length > text.length || text.length >= CHANCE);
    if (!repeats) return message;
    return { ...(isFields(message) ? message : {}), content: whole.slice(text.length) };
  }
}

/** The end of a choice: upstream says why it stopped. */
const reasonOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/**
 * A piece of a streamed answer; `null` when it adds nothing to it. Usage is told at the end.
 * @param isFirst it is the first of its answer, which says who speaks
 * @param said what those before it have said
 */
export function openAiChunk(
  chunk: Fields,
  fallbacks: CompletionFallbacks,
  isFirst: boolean,
  said: Said,
): (Fields & { choices: Fields[] }) | null {
  const choices = Array.isArray(chunk['choices']) ? chunk['choices'].filter(isFields) : [];
  if (choices.length === 0) return null;
  return {
    ...headOf(chunk, { ...fallbacks, object: 'chat.completion.chunk' }),
    choices: choices.map(({ delta, message, finish_reason, ...rest }, at) => ({
      ...rest,
      index: indexOf(rest, at),
      delta: deltaOf(said.pieceOf(indexOf(rest, at), { delta, message, text: rest['text'] }), isFirst),
      logprobs: null,
      finish_reason: reasonOf(finish_reason),
    })),
  };
}

/** The chunk behind the last piece that has the usage and no choice; `null` when upstream told none. */
export function usageChunk(said: unknown, fallbacks: CompletionFallbacks): Fields | null {
  const usage = isFields(said) ? usageOf(said['usage']) : undefined;
  if (!isFields(said) || usage === undefined) return null;
  return { ...headOf(said, { ...fallbacks, object: 'chat.completion.chunk' }), choices: [], usage };
}

export const hasUsage = (chunk: Fields): boolean => usageOf(chunk['usage']) !== undefined;
