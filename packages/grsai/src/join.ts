import { isLabel } from './chat-meaning.ts';
import { isFields, isVoid } from './json-values.ts';

/** A JSON object that grows. */
export type Growing = Record<string, unknown>;

/** How the fields of an object grow. */
export interface Manner {
  /** A text of this name comes whole, and the last one counts; others come in pieces. */
  readonly whole: (name: string) => boolean;
  /** Lists come in pieces too; else one that begins with all that the list held stands in its place. */
  readonly lists: 'pieces' | 'repeated';
}

/** Beside a message: `id`, `model` and `finish_reason` come whole, but for the text of the old completions. */
export const BESIDE: Manner = { whole: (name) => name !== 'text', lists: 'repeated' };

/** In a message all texts come in pieces but those that say what it is. */
export const IN_MESSAGE: Manner = { whole: isLabel, lists: 'pieces' };

const LOGPROBS: Manner = { whole: () => true, lists: 'pieces' };

/** Fields whose numbers are pieces of a text as well. */
const TEXTS: ReadonlySet<string> = new Set([
  'content',
  'text',
  'thinking',
  'reasoning',
  'reasoning_content',
  'summary',
  'refusal',
  'arguments',
]);

/** What a piece adds to the fields so far. Neither is changed. */
export function grow(sofar: Growing, added: Growing, manner: Manner): Growing {
  const fields = new Map(Object.entries(sofar));
  for (const [name, value] of Object.entries(added)) {
    fields.set(name, join(fields.get(name), value, name, name === 'logprobs' ? LOGPROBS : manner));
  }
  // Not by assignment, which a field named `__proto__` would lead astray.
  return Object.fromEntries(fields);
}

/** Joins two values of one field by what they are. Nothing that says something gives way to something else. */
function join(sofar: unknown, added: unknown, name: string, manner: Manner): unknown {
  if (isVoid(added)) return sofar ?? added;
  if (isVoid(sofar)) return added;
  if (isScalar(sofar) && isScalar(added)) return joinScalars(sofar, added, name, manner);
  if (isFields(sofar) && isFields(added) && !TEXTS.has(name)) return grow(sofar, added, manner);
  const odd = manner !== IN_MESSAGE || manner.whole(name);
  if (odd && isScalar(added)) return sofar;
  if (odd && isScalar(sofar)) return added;
  const [list, more] = [asList(sofar), asList(added)];
  if (manner === LOGPROBS) return [...list, ...more];
  return manner.lists === 'repeated' && startsWith(more, list) ? more : joinLists(list, more, name);
}

function joinScalars(sofar: unknown, added: unknown, name: string, manner: Manner): unknown {
  const texts = typeof sofar === 'string' || typeof added === 'string' || TEXTS.has(name);
  if (!texts || manner.whole(name)) {
    // No upstream is known to cut the name of a function in two, but clients of others are ready for it.
    return manner === IN_MESSAGE && name === 'name' && sofar !== added ? `${sofar}${added}` : added;
  }
  return `${sofar}${added}`;
}

const isScalar = (value: unknown): boolean => typeof value !== 'object';

const startsWith = (list: readonly unknown[], start: readonly unknown[]): boolean =>
  list.length >= start.length && JSON.stringify(list.slice(0, start.length)) === JSON.stringify(start);

/** A text is a part like any other, and an object a list of one. */
function asList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return [isScalar(value) ? { type: 'text', text: String(value) } : value];
}

function joinLists(sofar: readonly unknown[], added: readonly unknown[], name: string): unknown[] {
  // In a list of parts a text is one too.
  const asPart = (item: unknown): unknown => (typeof item === 'string' && TEXTS.has(name) ? { type: 'text', text: item } : item);
  const list = sofar.some((item) => typeof item === 'string') ? sofar.map(asPart) : [...sofar];
  for (const [at, item] of added.map(asPart).entries()) {
    const place = isFields(item) ? placeOf(list, item, name, at === 0) : -1;
    const known = list[place];
    if (isFields(item) && isFields(known)) list[place] = grow(known, item, IN_MESSAGE);
    else list.push(item);
  }
  return list;
}

/** Which item of the list a fragment goes on with; -1: none, it is one of its own. */
function placeOf(list: readonly unknown[], item: Growing, name: string, first: boolean): number {
  const index = integerOf(item['index']);
  if (index !== undefined)
    return list.findLastIndex((known) => isFields(known) && integerOf(known['index']) === index && isSame(known, item));
  const last = list.at(-1);
  if (!first || !isFields(last) || !isSame(last, item)) return -1;
  return (name === 'tool_calls' ? isRestOfCall(item) : isText(last) && isText(item)) ? list.length - 1 : -1;
}

/** Some upstreams give every tool call the index 0, or fragments of two kinds the same one. */
const isSame = (known: Growing, item: Growing): boolean =>
  ['id', 'type'].every((name) => isVoid(known[name]) || isVoid(item[name]) || known[name] === item[name]);

/** Neither an id nor a name: it goes on with the call before it. */
function isRestOfCall(item: Growing): boolean {
  const called = isFields(item['function']) ? item['function']['name'] : undefined;
  return isVoid(item['id']) && isVoid(called);
}

/** A part of a text, or of a thought that is made of texts. */
const isText = (part: Growing): boolean =>
  isVoid(part['id']) &&
  ['text', 'thinking', 'summary'].some((name) => typeof part[name] === 'string' || Array.isArray(part[name]));

/** The number that stands here, as a number or a text. */
export function integerOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) ? number : undefined;
}
