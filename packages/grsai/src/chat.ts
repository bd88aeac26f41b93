import { collect } from './answer.ts';
import { CompletionAssembler } from './assemble.ts';
import { isRawBody, payloadOf, type RawBody } from './body.ts';
import { callerWords } from './caller-words.ts';
import { completionIn, isOver, piecesOf } from './chat-answer.ts';
import { asChunk } from './chat-read.ts';
import type { ChatChunk, ChatCompletion, ChatRequest } from './chat-schema.ts';
import { GrsaiUnfinishedError } from './errors.ts';
import type { Response } from './exchange.ts';
import type { CallOptions } from './options.ts';
import { refusal } from './refusal.ts';
import type { Wire } from './wire.ts';

const PATH = '/v1/chat/completions';

/** Chat (upstream.md §6.1). A call leaves nothing upstream to lose, so one with an unknown outcome is `retryable`. */
export class Chat {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /**
   * One plain call. The completion is what upstream sent, vendor fields included; it may be empty (`meaningOf`). An answer
   * that comes as a stream although none was asked for is put together; without a `finish_reason` it is a `GrsaiUnfinishedError`.
   * A raw body is sent as it is and has to hold `"stream": false`.
   */
  async complete(body: ChatRequest | RawBody, options: CallOptions = {}): Promise<ChatCompletion> {
    const response = await this.#send(body, false, options);
    if ('whole' in response) return response.whole;
    const assembler = new CompletionAssembler();
    try {
      for await (const piece of piecesOf(response, this.#wire.scrub, 'read_off')) {
        if ('whole' in piece) return piece.whole;
        assembler.add(piece.chunk);
      }
    } catch (error) {
      if (error instanceof GrsaiUnfinishedError) error.completion = assembler.completion();
      throw error;
    }
    return assembler.completion();
  }

  /**
   * One streamed call, chunk by chunk; `assemble` makes a completion of them. Ends at `[DONE]`, or at the end of the stream after a
   * `finish_reason` (upstream.md §6.1); a stream that breaks off before either throws, and one without any `finish_reason` throws a
   * `GrsaiUnfinishedError` behind its last chunk. A plain answer comes as one chunk. Leaving the loop early ends the call. A raw body is
   * sent as it is and has to hold `"stream": true`.
   */
  async *stream(body: ChatRequest | RawBody, options: CallOptions = {}): AsyncGenerator<ChatChunk> {
    const response = await this.#send(body, true, options);
    if ('whole' in response) return yield asChunk(response.whole);
    for await (const piece of piecesOf(response, this.#wire.scrub, 'drop')) {
      yield 'whole' in piece ? asChunk(piece.whole) : piece.chunk;
    }
  }

  /** The answer as it begins, or all of one whose status says that there is none. */
  async #send(
    body: ChatRequest | RawBody,
    stream: boolean,
    { signal, supplied = body }: CallOptions,
  ): Promise<Response | { whole: ChatCompletion }> {
    const { response } = await this.#wire.transport.send({
      method: 'POST',
      path: PATH,
      // `stream` always: vendor pages contradict each other on its default.
      payload: payloadOf(isRawBody(body) ? body : JSON.stringify({ ...body, stream })),
      pace: 'synchronous',
      paid: false,
      repeatable: true,
      signal,
      words: callerWords(supplied),
    });
    if (response.status < 300) return response;
    const reply = await collect(response, this.#wire.scrub, isOver);
    const whole = completionIn(reply);
    if (whole === undefined) throw refusal(reply);
    return { whole };
  }
}
