import { documentsOf, type Reply, replyOf } from './answer.ts';
import { CompletionAssembler } from './assemble.ts';
import { isEmptyCompletion, meaningOf } from './chat-meaning.ts';
import { readChat, StreamEnd, wholeOf } from './chat-read.ts';
import type { ChatChunk, ChatCompletion } from './chat-schema.ts';
import { type Document, DocumentReader, type Shape } from './documents.ts';
import { GrsaiConnectionError, GrsaiError, GrsaiUnfinishedError } from './errors.ts';
import type { Response } from './exchange.ts';
import { isFields } from './json-values.ts';
import { refusal } from './refusal.ts';

/** A plain answer, or a piece of a streamed one. */
export type Piece = { readonly whole: ChatCompletion } | { readonly chunk: ChatChunk };

/** How long a usage chunk or `[DONE]` may come after the last `finish_reason`. */
const AFTER_END_MS = 2000;

/**
 * The pieces of a chat answer as they come, whether it was asked for as a stream or not. A plain answer ends with its last bracket; a
 * stream at `[DONE]`, or at its end after a `finish_reason`. One that comes to its end without any is a `GrsaiUnfinishedError`; one that
 * breaks off, holds an error, or a piece that cannot be read throws as well: no answer is taken for whole that may lack something.
 */
export async function* piecesOf(
  response: Response,
  scrub: (text: string) => string,
  rest: 'drop' | 'read_off',
): AsyncGenerator<Piece> {
  const answer = new Answer(response, scrub);
  try {
    for await (const document of documentsOf(response, answer.reader, rest)) {
      for (const piece of answer.take(document)) {
        yield piece;
        if ('whole' in piece) return;
      }
      if (answer.done) break;
    }
  } catch (error) {
    if (!(error instanceof GrsaiError)) throw error;
    if (answer.outlives(error)) return;
    throw error instanceof GrsaiConnectionError ? answer.refused({ cut: error }) : error;
  }
  answer.close();
}

/** Whether nothing is to be read behind an event of an answer whose status refuses. */
export const isOver = (document: Document): boolean =>
  readChat(document).some(({ kind }) => kind !== 'chunk' && kind !== 'nothing');

/**
 * The completion in an answer whose status refuses: proxies lose a status, and an answer is paid for whatever stands in front of it. Words of
 * a refusal can come in the shape of an answer too, so only a whole one with the tokens that it took, or one that was filtered, is believed.
 */
export function completionIn({ documents, words, cut }: Reply): ChatCompletion | undefined {
  const readings = documents.flatMap((document) => readChat(document, words));
  const [end, assembler] = [new StreamEnd(), new CompletionAssembler()];
  for (const reading of readings) {
    if (reading.kind === 'error' || reading.kind === 'unreadable') return undefined;
    if (reading.kind !== 'chunk') continue;
    end.add(reading.chunk);
    assembler.add(reading.chunk);
  }
  const [only] = readings;
  const whole = readings.length === 1 && only?.kind === 'chunk' ? wholeOf(only.chunk) : undefined;
  const completion = whole ?? assembler.completion();
  if (!end.reached || cut !== undefined) return undefined;
  const filtered = meaningOf(completion).kind === 'filtered';
  return filtered || (!isEmptyCompletion(completion) && tookTokens(completion)) ? completion : undefined;
}

const tookTokens = ({ usage }: ChatCompletion): boolean =>
  isFields(usage) && [usage['completion_tokens'], usage['output_tokens']].some((tokens) => Number(tokens) > 0);

/** What was read of one answer. */
class Answer {
  readonly reader: DocumentReader;
  /** `[DONE]` has come. */
  done = false;
  readonly #end = new StreamEnd();
  readonly #response: Response;
  readonly #scrub: (text: string) => string;
  #idle: Document | undefined;

  constructor(response: Response, scrub: (text: string) => string) {
    this.#response = response;
    this.#scrub = scrub;
    this.reader = new DocumentReader(scrub);
  }

  /** The pieces in one value of the answer; throws when it is an error, or cannot be read. */
  *take(document: Document): Generator<Piece> {
    for (const reading of readChat(document, this.#response.words)) {
      if (this.done) return;
      if (reading.kind === 'chunk') yield* this.#piece(reading.chunk);
      else if (reading.kind === 'done') this.done = true;
      else if (reading.kind === 'nothing') this.#idle = document;
      else
        throw this.refused(reading.kind === 'error' ? complaint(document, reading.words, this.reader.shape) : unread(document));
    }
  }

  *#piece(chunk: ChatChunk): Generator<Piece> {
    const whole = this.reader.shape === 'json' && !this.#end.begun ? wholeOf(chunk) : undefined;
    yield whole === undefined ? { chunk } : { whole };
    this.#end.add(chunk);
    this.#response.endWithin(this.#end.reached ? AFTER_END_MS : undefined);
  }

  /** What was to be said has been said: only a refusal and a signal of the caller still count. */
  outlives(error: GrsaiError): boolean {
    return this.#end.reached && error.outcome === 'unknown' && error.code !== 'aborted';
  }

  /** Throws unless the answer, having come to its end, is whole. */
  close(): void {
    const { reached, whole, named, begun } = this.#end;
    const ended = this.done || isFramed(this.#response);
    if (reached || (ended && whole) || (this.done && (named || !begun))) return;
    throw ended && begun ? unfinished(this.#response) : this.refused({});
  }

  refused(more: Partial<Reply>): GrsaiError {
    const idle = this.#idle === undefined ? [] : [this.#idle];
    const begun = this.#end.begun;
    return refusal({ ...replyOf(this.#response, this.reader, idle, this.#scrub), begun, ...more });
  }
}

/** Whether the end of the body is the end that was meant: without a length or chunks it cannot be told from a broken connection. */
const isFramed = ({ headers }: Response): boolean =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;

/** An error in its plainest form, so that it is judged by its words wherever they stood. Of a stream they are all that there is. */
function complaint({ value }: Document, words: string, shape: Shape): Partial<Reply> {
  const begun = isFields(value) && 'choices' in value;
  const error = isFields(value) ? value['error'] : undefined;
  const { data: _data, ...beside } = isFields(value) && !begun ? value : {};
  return {
    documents: [{ text: words, value: { ...beside, error: isFields(error) ? { ...error, message: words } : words } }],
    ...(begun ? { begun } : {}),
    ...(shape === 'events' ? { text: words } : {}),
  };
}

/** A text among events is judged as if it had come alone. */
const unread = (document: Document): Partial<Reply> => ({
  documents: [document],
  ...(document.value === undefined ? { text: document.text, shape: 'other' } : {}),
});

const unfinished = ({ status, base, repeatable }: Response): GrsaiUnfinishedError =>
  new GrsaiUnfinishedError({
    code: 'no_finish_reason',
    outcome: 'unknown',
    retryable: repeatable,
    message: 'the answer ended without a finish_reason, so it may be cut short',
    status,
    base,
  });
