import type { ChatCompletion } from './chat-schema.ts';
import { classifyText } from './classify.ts';
import { isFields } from './json-values.ts';

/** Fields that say what something is, and are no part of what the model says. The last word of a name counts: `tool_call_id`. */
const LABEL =
  /(?:^|_)(?:id|type|role|name|format|status|model|object|index|version|provider|language|channel|phase|encoding|reason)$/i;

export const isLabel = (name: string): boolean => LABEL.test(name);

/** Calls of tools say something by their names alone. */
const CALLS: ReadonlySet<string> = new Set(['tool_calls', 'function_call']);

/** Here numbers and objects say something as well. */
const CONTENT: ReadonlySet<string> = new Set(['content', 'text']);

/** Whether a value of any type holds something that a reader would miss: a text, a link, bytes, the call of a tool. */
export function says(value: unknown, name = ''): boolean {
  if (typeof value === 'string') return value.trim() !== '';
  if (typeof value === 'number' || value === true) return CONTENT.has(name);
  if (Array.isArray(value)) return value.some((item) => says(item, name));
  if (!isFields(value)) return false;
  const inner = Object.entries(value);
  if (CALLS.has(name)) return inner.some(([key, part]) => key !== 'type' && says(part, name));
  // An object that is no part of a message is the answer itself, as data.
  if (CONTENT.has(name) && !('type' in value) && !('text' in value)) return inner.length > 0;
  return inner.some(([key, part]) => !isLabel(key) && says(part, key));
}

/** Whether a choice of a completion or a chunk says anything, wherever it stands. */
export const choiceSays = (choice: unknown): boolean =>
  isFields(choice) && [choice['message'], choice['delta'], { text: choice['text'] }].some(answerSays);

/** A message is an object, or in odd answers its content alone. */
const answerSays = (answer: unknown): boolean => (isFields(answer) ? says(answer) : says(answer, 'content'));

/** Whether no choice says anything: a 200 with empty content is a failure of upstream in disguise (upstream.md §12 T20). */
export const isEmptyCompletion = ({ choices }: ChatCompletion): boolean => !choicesOf(choices).some(choiceSays);

/** Words that stand where a reason is not known yet. */
const NO_REASON = /^(?:|null|nil|none|undefined|false|(?:(?:finish|block)_?reason_)?unspecified)$/i;

/** The reason for which a choice ended, in small letters and without the name of its enum; none while it goes on. */
export function reasonOf(reason: unknown): string | undefined {
  if (typeof reason === 'string') {
    const word = reason
      .trim()
      .toLowerCase()
      .replace(/[\s-]+/g, '_')
      .replace(/^(?:finish|block)_?reason[._]/, '');
    return NO_REASON.test(word) ? undefined : word;
  }
  if (reason === null || reason === undefined || reason === false || reason === 0) return undefined;
  if (typeof reason !== 'object') return JSON.stringify(reason);
  if (Object.keys(reason).length === 0) return undefined;
  const inner = isFields(reason) ? (reason['type'] ?? reason['reason']) : undefined;
  return typeof inner === 'string' ? reasonOf(inner) : JSON.stringify(reason);
}

/** Fields in which it stands, the surest first. */
const REASONS = ['finish_reason', 'finishReason', 'stop_reason', 'native_finish_reason'] as const;

/** All reasons that a choice has, in whatever field and form, also inside of its message. */
export function endReasonsOf(choice: unknown): string[] {
  if (!isFields(choice)) return [];
  const places = [choice, choice['delta'], choice['message']].filter(isFields);
  return places.flatMap((place) => REASONS.flatMap((name) => reasonOf(place[name]) ?? []));
}

/** What an answer amounts to. */
export type Meaning =
  /** It says something, or its room was used up before it could. */
  | { readonly kind: 'answer' }
  /** It says nothing, since a filter took all of it. */
  | { readonly kind: 'filtered'; readonly reason: string }
  /** It says nothing, and nothing shows why. */
  | { readonly kind: 'empty' };

/** The room was used up by hidden reasoning: the same call would end the same way. */
const NO_ROOM =
  /^(?:length|(?:model_|max_)length|(?:max_?(?:output_|completion_)?|max_?)tokens|token_limit|output_limit|too_long|(?:model_)?context_(?:window|length)(?:_exceeded)?)$/;

/** Single words of filters. Phrases are known by the table of texts. */
const FILTER =
  /^(?:content_?filter(?:ed)?|(?:image_)?(?:safety|prohibited_content|recitation)|blocklist|blocked(?:_\w+)?|spii|sensitive|moderation|refusal|policy(?:_violation)?|content_policy(?:_violation)?|censored|prohibited|flagged|(?:error_)?toxic|risk(?:_control)?|security(?:_audit\w*)?|data_inspection_failed|model_?armor)$/;

const isFilter = (reason: string): boolean =>
  FILTER.test(reason) || classifyText(reason.replaceAll('_', ' ')).category === 'moderation';

/** The one place that judges an answer: an empty one by its `finish_reason`, any other is an answer as it came. */
export function meaningOf(completion: ChatCompletion): Meaning {
  if (!isEmptyCompletion(completion)) return { kind: 'answer' };
  const reasons = choicesOf(completion.choices).flatMap(endReasonsOf);
  if (reasons.some((reason) => NO_ROOM.test(reason))) return { kind: 'answer' };
  const filter = reasons.find(isFilter);
  if (filter !== undefined) return { kind: 'filtered', reason: filter };
  const blocked = blockOf(completion);
  return blocked === undefined ? { kind: 'empty' } : { kind: 'filtered', reason: blocked };
}

/** Why Gemini did not begin to answer: then it has no choices, and says so beside them. */
function blockOf(completion: ChatCompletion): string | undefined {
  for (const feedback of [completion['prompt_feedback'], completion['promptFeedback']]) {
    if (!isFields(feedback)) continue;
    const reason = reasonOf(feedback['block_reason'] ?? feedback['blockReason']);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** How much a completion says, in characters: of two answers to one question that may both be cut short, more is better. */
export function sizeOf(completion: unknown): number {
  const choices = isFields(completion) ? choicesOf(completion['choices']) : [];
  return choices.reduce<number>((sum, choice) => sum + (isFields(choice) ? lengthOf(choice['message'] ?? choice['text']) : 0), 0);
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce((sum, [name, inner]) => sum + (isLabel(name) ? 0 : lengthOf(inner)), 0);
}

const choicesOf = (choices: unknown): readonly unknown[] => (Array.isArray(choices) ? choices : []);
