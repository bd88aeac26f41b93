import { collect, documentsOf, type Reply, replyOf } from './answer.ts';
import { CompletionAssembler } from './assemble.ts';
import { isRawBody, payloadOf, type RawBody } from './body.ts';
import { callerWords } from './caller-words.ts';
import { ChatChunk, ChatCompletion, type ChatRequest } from './chat-schema.ts';
import { type Document, DocumentReader } from './documents.ts';
import { lastValue, unwrap } from './envelope.ts';
import { GrsaiError } from './errors.ts';
import type { CallOptions } from './options.ts';
import { refusal } from './refusal.ts';
import type { Reached } from './transport.ts';
import type { Wire } from './wire.ts';

const PATH = '/v1/chat/completions';
const DONE = '[DONE]';

/** Chat (grsai-api §6.1). A call leaves nothing upstream to lose, so one with an unknown outcome is `retryable`. */
export class Chat {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /**
   * One plain call. The completion is what upstream sent, vendor fields included; it may be empty (`isEmptyCompletion`). An answer
   * that comes as a stream although none was asked for is put together. A raw body is sent as it is and has to hold `"stream": false`.
   */
  async complete(body: ChatRequest | RawBody, options: CallOptions = {}): Promise<ChatCompletion> {
    const { response } = await this.#send(body, false, options);
    const end = new StreamEnd();
    const enough = ({ text, value }: Document): boolean => {
      const chunk = readChunk(value);
      if (chunk !== undefined && end.add(chunk)) response.endWithin(AFTER_END_MS);
      return text === DONE || wholeOf(value) !== undefined || (chunk === undefined && !saysNothing({ text, value }));
    };
    const reply = await collect(response, this.#wire.scrub, enough);
    const completion = response.status < 300 ? readCompletion(reply) : undefined;
    if (completion === undefined) throw refusal(reply);
    return completion;
  }

  /**
   * One streamed call, chunk by chunk; `assemble` makes a completion of them. Ends at `[DONE]`, or at the end of the stream after a
   * `finish_reason` (grsai-api §6.1); a stream that breaks off before either throws. A plain answer comes as one chunk. Leaving the loop
   * early ends the call. A raw body is sent as it is and has to hold `"stream": true`.
   */
  async *stream(body: ChatRequest | RawBody, options: CallOptions = {}): AsyncGenerator<ChatChunk> {
    const { response } = await this.#send(body, true, options);
    const { scrub } = this.#wire;
    if (response.status >= 300) throw refusal(await collect(response, scrub));
    const reader = new DocumentReader(scrub);
    const end = new StreamEnd();
    const idle: Document[] = [];
    try {
      for await (const document of documentsOf(response, reader)) {
        if (document.text === DONE) return;
        const chunk = readChunk(document.value);
        if (chunk === undefined) {
          if (saysNothing(document)) {
            idle[0] = document;
            continue;
          }
          throw refusal(replyOf(response, reader, [document], scrub));
        }
        yield chunk;
        if (end.add(chunk)) response.endWithin(AFTER_END_MS);
      }
    } catch (error) {
      // What was to be said has been said; only a refusal and a signal of the caller still count.
      if (end.reached && error instanceof GrsaiError && error.outcome === 'unknown' && error.code !== 'aborted') return;
      throw error;
    }
    if (!end.reached) throw refusal(replyOf(response, reader, idle, scrub));
  }

  #send(body: ChatRequest | RawBody, stream: boolean, { signal, supplied = body }: CallOptions): Promise<Reached> {
    return this.#wire.transport.send({
      method: 'POST',
      path: PATH,
      // `stream` always: vendor pages contradict each other on its default.
      payload: payloadOf(isRawBody(body) ? body : JSON.stringify({ ...body, stream })),
      pace: 'held',
      paid: false,
      repeatable: true,
      signal,
      words: callerWords(supplied),
    });
  }
}

/** How long a usage chunk or `[DONE]` may come after the last `finish_reason`. */
const AFTER_END_MS = 2000;

/** Knows when every choice of a stream has a `finish_reason`. */
class StreamEnd {
  readonly #open = new Map<number, boolean>();

  get reached(): boolean {
    return this.#open.size > 0 && ![...this.#open.values()].includes(true);
  }

  add({ choices }: ChatChunk): boolean {
    for (const { index, finish_reason: reason } of choices) {
      const at = index ?? 0;
      const ended = typeof reason === 'string' && reason !== '';
      this.#open.set(at, !ended && this.#open.get(at) !== false);
    }
    return this.reached;
  }
}

/** A plain completion, in the middle of a stream too. */
function wholeOf(value: unknown): ChatCompletion | undefined {
  const { data } = ChatCompletion.safeParse(bare(value));
  return data !== undefined && data.choices.length > 0 && !data.choices.some((choice) => 'delta' in choice) ? data : undefined;
}

/** A chunk, or a plain answer as one. */
function readChunk(value: unknown): ChatChunk | undefined {
  const whole = wholeOf(value);
  if (whole !== undefined) {
    const { choices, ...head } = whole;
    const stopped = { finish_reason: 'stop' };
    return { ...head, choices: choices.map(({ message, ...rest }) => ({ ...stopped, ...rest, delta: message })) };
  }
  const chunk = ChatChunk.safeParse(value);
  return chunk.success ? chunk.data : undefined;
}

/** A keep-alive: JSON that neither adds anything nor complains. */
function saysNothing({ value }: Document): boolean {
  if (value === undefined) return false;
  const { error, code } = unwrap(value);
  return error === '' && (code ?? 0) === 0;
}

/** The completion in an answer, plain or streamed; `undefined` when there is none or the stream did not come to its end. */
function readCompletion(reply: Reply): ChatCompletion | undefined {
  if (reply.shape !== 'events') {
    const plain = ChatCompletion.safeParse(bare(lastValue(reply.documents)));
    return plain.success ? plain.data : undefined;
  }
  const assembler = new CompletionAssembler();
  const end = new StreamEnd();
  let done = false;
  for (const document of reply.documents) {
    const chunk = readChunk(document.value);
    if (chunk !== undefined) {
      assembler.add(chunk);
      end.add(chunk);
    } else if (document.text === DONE) done = true;
    else if (!saysNothing(document)) return undefined;
  }
  return end.reached || (done && !assembler.empty) ? assembler.completion() : undefined;
}

/** Out of a `{code: 0, data}` envelope, should there be one. */
function bare(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || 'choices' in value || !('data' in value)) return value;
  return value.data;
}
