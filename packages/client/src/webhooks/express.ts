import { WebhookVerificationError } from '../errors.ts';
import { join } from './fetch.ts';
import { MOST_BYTES, type Receipt, type ReceiverOptions, receive, TOO_LARGE } from './receive.ts';

/** A receiver for Express, and for all that calls `(request, response, next)`, `node:http` among them. */

export type { ReceiverOptions } from './receive.ts';

/** What is used of a request of Express or `node:http`. */
export interface NodeRequest extends AsyncIterable<Uint8Array> {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly readableEnded: boolean;
  /** Of `express.raw()`. */
  readonly body?: unknown;
  /** Of serverless frameworks, and of `verify` of `express.json()`. */
  readonly rawBody?: unknown;
}

/** What is used of a response. */
export interface NodeResponse {
  statusCode: number;
  end(text?: string): unknown;
}

/**
 * `app.post('/hooks', expressWebhooks({ secret, onEvent }))`, before any `express.json()`, or beside `express.raw({ type: '*\/*' })`.
 * What `onEvent` rejects with goes to `next`; without a `next` the answer is 500. Either way the webhook is sent again.
 */
export function expressWebhooks(
  options: ReceiverOptions,
): (request: NodeRequest, response: NodeResponse, next?: (error: unknown) => void) => Promise<void> {
  return async (request, response, next) => {
    try {
      const body = await rawBodyOf(request);
      const { status, text }: Receipt = body === undefined ? TOO_LARGE : await receive(body, request.headers, options);
      response.statusCode = status;
      response.end(text);
    } catch (error) {
      if (next !== undefined) return next(error);
      response.statusCode = 500;
      response.end('The webhook could not be handled.');
    }
  };
}

/** What came, as bytes; undefined when it is too large. */
async function rawBodyOf(request: NodeRequest): Promise<Uint8Array | string | undefined> {
  for (const kept of [request.rawBody, request.body]) if (kept instanceof Uint8Array || typeof kept === 'string') return kept;
  if (request.readableEnded)
    throw new WebhookVerificationError({
      code: 'body_parsed',
      detail:
        'The body has been read before this receiver, by express.json() most likely, and a signature is of the bytes that came. Put the route of the webhook before app.use(express.json()), or use express.raw({ type: "*/*" }) for it.',
    });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    // Read to its end all the same: who leaves here cuts the connection before the answer.
    if (length > MOST_BYTES) chunks.length = 0;
    else chunks.push(chunk);
  }
  return length > MOST_BYTES ? undefined : join(chunks, length);
}
