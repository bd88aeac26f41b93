import type { CallerWords } from './caller-words.ts';
import { type Document, DocumentReader, type Shape } from './documents.ts';
import { GrsaiAnswerError, GrsaiError } from './errors.ts';
import type { Response } from './exchange.ts';
import { retryAfterMs } from './retry-after.ts';

/** An answer as far as it was read. Nothing of it is believed yet. */
export interface Reply {
  readonly status: number;
  readonly shape: Shape;
  /** All JSON values: one of a bare answer, one for each event. */
  readonly documents: readonly Document[];
  readonly text: string;
  readonly base: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** Why the answer broke off before its end. What was complete by then is in `documents`. */
  readonly cut: GrsaiError | undefined;
  /** What a call without a readable answer may have left behind. */
  readonly lost: 'not_sent' | 'refused' | 'unknown';
  readonly repeatable: boolean;
  /** What the caller wrote of this call. */
  readonly words: (() => CallerWords) | undefined;
  /** Upstream had begun to say what was asked for, so something was made, and may be charged. */
  readonly begun?: boolean;
}

/** No answer of upstream is larger; what is would only fill the memory. In characters. */
const ANSWER_LIMIT = 64 * 1024 * 1024;

/**
 * The JSON values of an answer as they come. UTF-8 whatever the content type says (upstream.md §12 T20). Throws when the
 * connection breaks or a limit passes; values that were complete before have been handed over.
 */
export async function* documentsOf(
  response: Response,
  reader: DocumentReader,
  rest?: 'drop' | 'read_off',
): AsyncGenerator<Document> {
  const decoder = new TextDecoder();
  for await (const chunk of response.chunks(rest)) {
    yield* reader.feed(decoder.decode(chunk, { stream: true }));
    if (reader.text.length > ANSWER_LIMIT) throw tooLarge(response);
  }
  yield* reader.feed(decoder.decode());
  yield* reader.finish();
}

/**
 * Reads an answer up to the value that is `enough` or to its end. A bare JSON value is enough unless it says that another follows
 * (`goesOn`), so an answer that is complete on a connection left open does not wait (upstream.md §12 T12). Never throws: a broken
 * answer has `cut`.
 */
export async function collect(
  response: Response,
  scrub: (text: string) => string,
  enough: (document: Document) => boolean = () => true,
  goesOn: (document: Document) => boolean = () => false,
): Promise<Reply> {
  const reader = new DocumentReader(scrub);
  const documents: Document[] = [];
  let cut: GrsaiError | undefined;
  try {
    for await (const document of documentsOf(response, reader, 'read_off')) {
      documents.push(document);
      if (reader.shape === 'json' ? !goesOn(document) : enough(document)) break;
    }
  } catch (error) {
    if (!(error instanceof GrsaiError)) throw error;
    documents.push(...reader.finish());
    cut = error;
  }
  return replyOf(response, reader, documents, scrub, cut);
}

/** What was read of an answer so far, for a judgement on it. */
export function replyOf(
  response: Response,
  reader: DocumentReader,
  documents: readonly Document[],
  scrub: (text: string) => string,
  cut?: GrsaiError,
): Reply {
  return {
    status: response.status,
    shape: reader.shape,
    documents,
    text: scrub(reader.text),
    base: response.base,
    retryAfterMs: retryAfterMs(response.headers['retry-after'], Date.now()),
    cut,
    lost: response.lost,
    repeatable: response.repeatable,
    words: response.words,
  };
}

const tooLarge = (response: Response): GrsaiError =>
  new GrsaiAnswerError({
    code: 'unreadable_answer',
    outcome: response.lost,
    message: 'the answer is larger than 64 MiB',
    status: response.status,
    base: response.base,
  });
