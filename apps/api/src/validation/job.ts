import { ChatInput, eachPicture, inlineProblems, type JobDoc, type JobRequest, LIMITS, mapPictures } from '@grsai-jobs/jobs';
import type { Slices } from '@grsai-jobs/runtime';
import type { z } from 'zod';
import { readLongPictures } from './long-pictures.ts';
import { type FieldError, tryValidate } from './validate.ts';

/** Wrong fields after which nothing more is looked for: no answer shows more. */
const ENOUGH = 100;
/** So many messages are checked whole. */
const FEW = 20;
/** A job that was sent in no more bytes has no picture that others would wait for. */
const SHORT = 4096;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Bound {
  most: number;
  message: string;
}
const atMost = (most: number): Bound => ({ most, message: `must have at most ${most} items` });

/** Lists of an input by their names. */
const LISTS: readonly [string, Bound][] = Object.entries({
  messages: { most: LIMITS.messages, message: `messages are limited to ${LIMITS.messages}` },
  images: atMost(LIMITS.images),
  stop: atMost(LIMITS.stop),
});
const PARTS = atMost(LIMITS.parts);

const tooLong = (value: unknown, pointer: string, { most, message }: Bound): FieldError[] =>
  Array.isArray(value) && value.length > most ? [{ pointer, message }] : [];

/** Lists with too many items are reported by their length: a schema would look at each item first. */
function longLists(input: Record<string, unknown>): FieldError[] {
  const own = LISTS.flatMap(([name, bound]) => tooLong(input[name], `/input/${name}`, bound));
  const { messages } = input;
  if (own.length > 0 || !Array.isArray(messages)) return own;
  return messages.flatMap((message: unknown, i) =>
    isObject(message) ? tooLong(message['content'], `/input/messages/${i}/content`, PARTS) : [],
  );
}

const Message = ChatInput.shape.messages.element;
type Message = z.output<typeof Message>;

/** Each message of a chat by itself, one after another until there is enough wrong with them. */
async function readMessages(messages: readonly unknown[], slices: Slices): Promise<{ read: Message[]; faults: FieldError[] }> {
  const read: Message[] = [];
  const faults: FieldError[] = [];
  for (const [i, message] of messages.entries()) {
    const each = tryValidate(Message, message);
    if ('data' in each) read.push(each.data);
    else faults.push(...each.errors.map((error) => ({ ...error, pointer: `/input/messages/${i}${error.pointer}` })));
    if (faults.length >= ENOUGH) break;
    if (slices.over()) await slices.next();
  }
  return { read, faults };
}

/** Stands where messages were that have been read already. */
const SOME_MESSAGES = [{ role: 'user', content: '' }];

type JobSchema = z.ZodType<Pick<JobRequest, 'type' | 'input'>>;

/** A job, or what is wrong with it. */
export type Tried<T extends JobSchema> = { data: z.output<T> } | { errors: FieldError[] };

const inputOf = (value: unknown) => (isObject(value) && isObject(value['input']) ? value['input'] : {});

/** As {@link tryJob}, for a job that was sent in so many bytes: one that is short is checked at once. */
export function tryJobOf<T extends JobSchema>(
  bytes: number,
  schema: T,
  value: unknown,
  slices: Slices,
): Tried<T> | Promise<Tried<T>> {
  const input = inputOf(value);
  const { messages } = input;
  if (bytes > SHORT || (Array.isArray(messages) && messages.length > FEW)) return tryJob(schema, value, slices);
  const long = longLists(input);
  return long.length > 0 ? { errors: long } : tryValidate(schema, value);
}

/**
 * Checks a job as {@link tryValidate} does. Of a job with thousands of faults only the first are reported, and found: a schema looks
 * for all of them, and takes a long time to describe each. Long pictures and many messages are read before the schema and without it, so that
 * other requests have a turn meanwhile.
 */
export async function tryJob<T extends JobSchema>(schema: T, value: unknown, slices: Slices): Promise<Tried<T>> {
  const input = inputOf(value);
  const long = longLists(input);
  if (long.length > 0) return { errors: long };
  const pictures = await readLongPictures(input, slices);
  const messages = pictures.light['messages'];
  const isChat = isObject(value) && value['type'] === 'chat';
  const many = isChat && Array.isArray(messages) && messages.length > FEW ? await readMessages(messages, slices) : null;
  if (many !== null && many.faults.length >= ENOUGH) return { errors: many.faults };
  if (many === null && pictures.light === input) return tryValidate(schema, value);
  const light = { ...pictures.light, ...(many === null ? {} : { messages: SOME_MESSAGES }) };
  const checked = tryValidate(schema, { ...(value as object), input: light });
  const errors = [...pictures.faults, ...(many?.faults ?? []), ...('errors' in checked ? checked.errors : [])];
  if (errors.length > 0 || 'errors' in checked) return { errors };
  const { data } = checked;
  if (many !== null && 'messages' in data.input) data.input.messages = many.read;
  const whole = mapPictures(data as Whole, (picture, pointer) => pictures.read.get(pointer) ?? picture) as z.output<T>;
  const problems = togetherProblems(whole);
  return problems.length > 0 ? { errors: problems } : { data: whole };
}

type Whole = Pick<JobDoc, 'type' | 'input'>;

/** What the schema says of all pictures together, which it has not seen. */
function togetherProblems(job: unknown): FieldError[] {
  const all: string[] = [];
  const { input } = job as Whole;
  eachPicture({ input }, (picture) => {
    if (typeof picture === 'string') all.push(picture);
  });
  return inlineProblems(all).map((message) => ({ pointer: 'messages' in input ? '/input/messages' : '/input/images', message }));
}
