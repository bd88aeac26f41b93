import { ChatInput, LIMITS } from '@grsai-jobs/jobs';
import type { z } from 'zod';
import { type FieldError, tryValidate } from './validate.ts';

/** Wrong fields after which nothing more is looked for: no answer tells more. */
const ENOUGH = 100;
/** So many messages are checked whole. */
const FEW = 20;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Bound {
  most: number;
  message: string;
}
const atMost = (most: number): Bound => ({ most, message: `must have at most ${most} items` });

/** Lists of an input by their names. */
const LISTS: Readonly<Record<string, Bound>> = {
  messages: { most: LIMITS.messages, message: `messages are limited to ${LIMITS.messages}` },
  images: atMost(LIMITS.images),
  stop: atMost(LIMITS.stop),
};
const PARTS = atMost(LIMITS.parts);

const tooLong = (value: unknown, pointer: string, { most, message }: Bound): FieldError[] =>
  Array.isArray(value) && value.length > most ? [{ pointer, message }] : [];

/** Lists with too many items are told by their length: a schema would look at each item first. */
function longLists(input: Record<string, unknown>): FieldError[] {
  const own = Object.entries(LISTS).flatMap(([name, bound]) => tooLong(input[name], `/input/${name}`, bound));
  const { messages } = input;
  if (own.length > 0 || !Array.isArray(messages)) return own;
  return messages.flatMap((message: unknown, i) =>
    isObject(message) ? tooLong(message['content'], `/input/messages/${i}/content`, PARTS) : [],
  );
}

/** What is wrong with the messages of a chat, one after another until it is enough. */
function wrongMessages(messages: readonly unknown[]): FieldError[] {
  const faults: FieldError[] = [];
  for (const [i, message] of messages.entries()) {
    const read = tryValidate(ChatInput.shape.messages.element, message);
    if ('errors' in read)
      faults.push(...read.errors.map((each) => ({ ...each, pointer: `/input/messages/${i}${each.pointer}` })));
    if (faults.length >= ENOUGH) break;
  }
  return faults;
}

/**
 * Checks a job as {@link tryValidate} does. Of a job with thousands of faults only the first are told, and found: a schema looks
 * for all of them, and takes a long time to tell each.
 */
export function tryJob<T extends z.ZodType>(schema: T, value: unknown): { data: z.output<T> } | { errors: FieldError[] } {
  const input = isObject(value) && isObject(value['input']) ? value['input'] : {};
  const long = longLists(input);
  if (long.length > 0) return { errors: long };
  const { messages } = input;
  if (Array.isArray(messages) && messages.length > FEW) {
    const faults = wrongMessages(messages);
    if (faults.length >= ENOUGH) return { errors: faults };
  }
  return tryValidate(schema, value);
}
