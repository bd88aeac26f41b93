import { collect, type Reply } from './answer.ts';
import { isRawBody, payloadOf, type RawBody } from './body.ts';
import { callerWords } from './caller-words.ts';
import { classifyText } from './classify.ts';
import type { Document } from './documents.ts';
import { lastValue, unwrap } from './envelope.ts';
import { keepRaw } from './errors.ts';
import { type Fields, isFields, textOf } from './json-values.ts';
import { linkOf } from './links.ts';
import type { CallOptions } from './options.ts';
import { linksAt, type Output, outputsOf, urlsOf } from './outputs.ts';
import { isPage, refusal } from './refusal.ts';
import { isFailure, isOngoing } from './task-state.ts';
import type { Wire } from './wire.ts';

/** Body of `POST /v1/images/generations` (upstream.md §6.2). */
export interface GenerationsRequest {
  readonly model: string;
  readonly prompt: string;
  /** URLs, data URLs or base64: an extension of the OpenAI shape. */
  readonly image?: readonly string[];
  /** Same grammar as `aspectRatio`. */
  readonly size?: string;
  readonly [field: string]: unknown;
}

/** What a synchronous image call brought; without an id, so there is nothing to ask later. */
export interface Generations {
  /** In order; may be empty. Links live two hours. */
  readonly outputs: readonly Output[];
  /** The links among them, as a browser would ask for them. */
  readonly urls: readonly string[];
  /** As it came. */
  readonly usage?: unknown;
  readonly raw: string;
}

/** One synchronous image call. Paid, without an id: what is cut off here is lost (upstream.md §6.2). */
export async function generations(
  wire: Wire,
  body: GenerationsRequest | RawBody,
  { signal, supplied = body }: CallOptions,
): Promise<Generations> {
  const { response } = await wire.transport.send({
    method: 'POST',
    path: '/v1/images/generations',
    payload: payloadOf(isRawBody(body) ? body : JSON.stringify({ response_format: 'url', ...body })),
    pace: 'synchronous',
    paid: true,
    repeatable: false,
    signal,
    words: callerWords(supplied),
  });
  const reply = await collect(response, wire.scrub, isEnd, goesOn);
  const answers = reply.documents.flatMap((document) => answerIn(document, response.status) ?? []);
  const answer = answers.findLast(({ outputs }) => outputs.length > 0) ?? answers.at(-1) ?? bareAnswer(reply);
  if (answer === undefined) throw refusal(reply);
  const outputs = linksAt(withoutEchoes(answer.outputs, reply.words), response.base);
  if (outputs.length === 0 && answer.outputs.length > 0) throw refusal(reply);
  return { ...answer, outputs, urls: urlsOf(outputs), raw: keepRaw(reply.text) };
}

/** Whether a bare value says that another follows. */
const goesOn = (document: Document): boolean => !isEnd(document) && isOngoing(textOf(unwrap(document.value).fields['status']));

/** Whether an event says what became of the call; others in front of it (keep-alives, progress) are passed over. */
const isEnd = (document: Document): boolean =>
  (answerIn(document, 200)?.outputs.length ?? 0) > 0 || unwrap(document.value).error !== '';

/**
 * The outputs, whatever fields stand beside them; `undefined` for what is no answer to such a call. A picture that is there is
 * believed before the HTTP status; none at all is a result only where its list is.
 */
function answerIn({ value }: Document, status: number): Pick<Generations, 'outputs' | 'usage'> | undefined {
  const { fields, error } = unwrap(value);
  if (isFailure(textOf(fields['status']).toLowerCase())) return undefined;
  const outputs = outputsOf(fields, true);
  const there = outputs.length > 0 && (error === '' || hasList(fields));
  const empty = status < 300 && error === '' && hasList(fields);
  return there || empty ? { outputs, usage: usageOf(value, fields) } : undefined;
}

/** A link, base64 or Markdown in the place of JSON, and not beside words that refuse. */
function bareAnswer({ documents, status, shape, text, words }: Reply): Pick<Generations, 'outputs'> | undefined {
  if (status >= 300 || shape !== 'other' || isPage(text)) return undefined;
  if (classifyText(text.replace(LINKS, ' '), words).category !== 'unknown') return undefined;
  const outputs = outputsOf({ results: lastValue(documents) ?? text }, true);
  return outputs.length === 0 ? undefined : { outputs };
}

/** Words in a link say nothing. */
const LINKS = /(?:https?|data):[^\s"'<>()]*/gi;

/** A link that the caller sent leads to what was sent. */
function withoutEchoes(outputs: readonly Output[], words: Reply['words']): readonly Output[] {
  if (words === undefined || !outputs.some(({ kind }) => kind === 'link')) return outputs;
  const sent = new Set(
    words()
      .texts.map(linkOf)
      .filter((link) => link !== ''),
  );
  return outputs.filter((output) => output.kind !== 'link' || !sent.has(linkOf(output.url)));
}

const hasList = (fields: Fields): boolean => Array.isArray(fields['data']) || Array.isArray(fields['results']);

/** Beside the list, or beside the envelope around it. */
const usageOf = (value: unknown, fields: Fields): unknown => fields['usage'] ?? (isFields(value) ? value['usage'] : undefined);
