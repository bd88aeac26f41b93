import { z } from 'zod';
import { collect } from './answer.ts';
import { isRawBody, payloadOf, type RawBody } from './body.ts';
import { callerWords } from './caller-words.ts';
import { isFields, lastValue } from './envelope.ts';
import { keepRaw } from './errors.ts';
import type { CallOptions } from './options.ts';
import { refusal } from './refusal.ts';
import { linkOf } from './task-state.ts';
import type { Wire } from './wire.ts';

/** Body of `POST /v1/images/generations` (grsai-api §6.2). */
export interface GenerationsRequest {
  readonly model: string;
  readonly prompt: string;
  /** URLs, data URLs or base64: an extension of the OpenAI shape. */
  readonly image?: readonly string[];
  /** Same grammar as `aspectRatio`. */
  readonly size?: string;
  readonly [field: string]: unknown;
}

const Entry = z.looseObject({ url: z.unknown(), b64_json: z.unknown() }).partial();
const Answer = z.looseObject({ created: z.number().nullish(), data: z.array(Entry), usage: z.looseObject({}).nullish() });

/** What a held image call brought; without an id, so there is nothing to ask later. */
export interface Generations {
  readonly created?: number | null | undefined;
  /** http(s) links, trimmed; may be empty. They live two hours. */
  readonly urls: readonly string[];
  /** The entries as they came. */
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly usage?: Readonly<Record<string, unknown>> | null | undefined;
  readonly raw: string;
}

/** One held image call. Paid, without an id: what is cut off here is lost (grsai-api §6.2). */
export async function generations(
  wire: Wire,
  body: GenerationsRequest | RawBody,
  { signal, supplied = body }: CallOptions,
): Promise<Generations> {
  const { response } = await wire.transport.send({
    method: 'POST',
    path: '/v1/images/generations',
    payload: payloadOf(isRawBody(body) ? body : JSON.stringify({ response_format: 'url', ...body })),
    pace: 'held',
    paid: true,
    repeatable: false,
    signal,
    words: callerWords(supplied),
  });
  const reply = await collect(response, wire.scrub);
  const answer = Answer.safeParse(bare(lastValue(reply.documents)));
  if (!answer.success || response.status >= 300) throw refusal(reply);
  const { created, data, usage } = answer.data;
  return { created, urls: data.map(({ url }) => linkOf(url)).filter((url) => url !== ''), data, usage, raw: keepRaw(reply.text) };
}

/** Out of a `{code: 0, data: {data: […]}}` envelope, should there be one. */
const bare = (value: unknown): unknown => (isFields(value) && isFields(value['data']) ? value['data'] : value);
