import type { z } from 'zod';
import { CUSTOM_ID } from './batch-request.ts';
import { LIMITS } from './limits.ts';
import type { ChatInput, ChatJob } from './request.ts';

type Chat = z.output<typeof ChatJob>;
type Fields = Readonly<Record<string, unknown>>;
type IsGood = (value: unknown) => boolean;

/** So many messages are few. */
const FEW = 20;
const ROLES: readonly unknown[] = ['system', 'developer', 'user', 'assistant'];
const PRIORITIES: readonly unknown[] = ['low', 'normal', 'high'];
const MODEL = /^[A-Za-z0-9._:/@-]+$/;

const between =
  (min: number, max: number): IsGood =>
  (value) =>
    typeof value === 'number' && value >= min && value <= max;
const whole = (min: number, max: number): IsGood => {
  const isWithin = between(min, max);
  return (value) => Number.isInteger(value) && isWithin(value);
};

/** What an input may say beside its model and its messages, in the order of its schema. */
const OPTIONS: readonly (readonly [string, IsGood])[] = [
  ['stream', (value) => typeof value === 'boolean'],
  ['temperature', between(0, 2)],
  ['top_p', between(0, 1)],
  ['max_tokens', whole(1, 1_000_000)],
];
const isExpiry = whole(LIMITS.expiresInS.min, LIMITS.expiresInS.max);

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

function countOf(fields: Fields): number {
  let count = 0;
  for (const _name in fields) count += 1;
  return count;
}

function plainMessages(value: unknown): ChatInput['messages'] | null {
  if (!Array.isArray(value) || value.length === 0 || value.length > FEW) return null;
  const messages: { role: unknown; content: string }[] = [];
  for (const message of value as unknown[]) {
    if (!isObject(message) || !ROLES.includes(message['role']) || countOf(message) !== 2) return null;
    const { role, content } = message;
    if (typeof content !== 'string') return null;
    messages.push({ role, content });
  }
  return messages as ChatInput['messages'];
}

function plainInput(value: unknown): ChatInput | null {
  if (!isObject(value)) return null;
  const { model } = value;
  const messages = plainMessages(value['messages']);
  if (typeof model !== 'string' || model.length > LIMITS.model || !MODEL.test(model) || messages === null) return null;
  const input: Record<string, unknown> & ChatInput = { model, messages };
  let count = 2;
  for (const [name, isGood] of OPTIONS) {
    const option = value[name];
    if (option === undefined) continue;
    if (!isGood(option)) return null;
    input[name] = option;
    count += 1;
  }
  return countOf(value) === count ? input : null;
}

/**
 * A line of a batch that is a chat of the commonest kind, as `BatchItem` reads it, in a fifth of the time: most lines of most batches are
 * a few messages of plain text. `priority` and `expires_in_s` are there, as a batch puts them under each line. `null`: it is another
 * line, maybe a wrong one; the schema says which.
 */
export function plainChatItem(item: unknown): (Chat & { custom_id: string }) | null {
  if (!isObject(item) || item['type'] !== 'chat' || countOf(item) !== 5) return null;
  const { custom_id, priority, expires_in_s } = item;
  if (typeof custom_id !== 'string' || !CUSTOM_ID.test(custom_id)) return null;
  if (!PRIORITIES.includes(priority) || !isExpiry(expires_in_s)) return null;
  const input = plainInput(item['input']);
  return (
    input && {
      type: 'chat',
      input,
      metadata: {},
      priority: priority as Chat['priority'],
      expires_in_s: expires_in_s as number,
      max_attempts: LIMITS.attempts.default,
      output: { url_ttl_s: LIMITS.urlTtlS.default },
      custom_id,
    }
  );
}
