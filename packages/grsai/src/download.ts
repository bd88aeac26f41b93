import { isCoded } from './coding/index.ts';
import { GrsaiAnswerError, type GrsaiError, GrsaiInvalidRequestError, GrsaiRefusedError } from './errors.ts';
import type { Response } from './exchange.ts';
import { fileType, MAGIC_LENGTH, mayBeText, TEXT_LENGTH } from './file-type.ts';
import type { CallOptions } from './options.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Wire } from './wire.ts';

/** A result file that is on its way. */
export interface Download {
  /** By the first bytes, whatever the name or the header says (upstream.md §12 T14). */
  readonly contentType: string;
  /** `content-length`, when there is one and the file was not coded for the way. */
  readonly length: number | undefined;
  /** The bytes. Throws a `GrsaiError` when the file breaks off. Leaving the loop early drops the connection. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Opens a result link. The key is not sent, redirects are not followed. Every failure is `retryable`, also a 404: files come late
 * at times, and a lost download never means a lost task (upstream.md §12 T22). After two hours a link is dead for good (T15).
 */
export async function download(wire: Wire, link: string, { signal }: CallOptions): Promise<Download> {
  const url = URL.canParse(link) ? new URL(link) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new GrsaiInvalidRequestError([{ field: 'url', message: 'must be an http(s) URL' }]);
  }
  const { response } = await wire.transport.send({
    method: 'GET',
    path: url.pathname + url.search,
    base: url.origin,
    pace: 'download',
    paid: false,
    repeatable: true,
    anonymous: true,
    signal,
  });
  if (response.status !== 200) {
    response.drop();
    throw refusedFile(response);
  }
  const chunks = response.chunks();
  const head = await headOf(chunks);
  const contentType = fileType(head);
  if (contentType === undefined) {
    await chunks.return(undefined);
    throw notAFile(response, head);
  }
  return { contentType, length: lengthOf(response), chunks: prepend(head, chunks) };
}

function lengthOf({ headers }: Response): number | undefined {
  if (isCoded(headers['content-encoding'])) return undefined;
  const length = Number(headers['content-length'] ?? Number.NaN);
  return Number.isInteger(length) ? length : undefined;
}

async function headOf(chunks: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  let wanted = MAGIC_LENGTH;
  while (length < wanted) {
    const { value, done } = await chunks.next();
    if (done === true) break;
    parts.push(value);
    length += value.length;
    if (length >= MAGIC_LENGTH && mayBeText(Buffer.concat(parts))) wanted = TEXT_LENGTH;
  }
  return Buffer.concat(parts);
}

async function* prepend(head: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield head;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

const refusedFile = ({ status, base, headers }: Response): GrsaiError =>
  new GrsaiRefusedError({
    code: status >= 500 ? 'server_error' : 'refused',
    outcome: 'refused',
    retryable: true,
    message: `the result file answered HTTP ${status}`,
    status,
    base,
    retryAfterMs: retryAfterMs(headers['retry-after'], Date.now()),
  });

const notAFile = ({ status, base }: Response, head: Uint8Array): GrsaiError =>
  new GrsaiAnswerError({
    code: 'unreadable_answer',
    outcome: 'unknown',
    retryable: true,
    message: head.length === 0 ? 'the result file is empty' : 'the result link did not answer an image or a video',
    status,
    raw: Buffer.from(head).toString('utf8'),
    base,
  });
