import { chunksOf } from '../bytes.ts';
import { MOST_BYTES, type ReceiverOptions, receive, TOO_LARGE } from './receive.ts';

/**
 * A receiver for servers that answer a `Request` with a `Response`: Bun, Deno, Cloudflare Workers, Next.js, Hono. It rejects when
 * `onEvent` does, which such servers answer with 500, so the webhook is sent again.
 */
export function webhookHandler(options: ReceiverOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    if (request.method !== 'POST') return new Response('A webhook is a POST.', { status: 405, headers: { allow: 'POST' } });
    const body = await wholeBody(request);
    const { status, text } = body === undefined ? TOO_LARGE : await receive(body, request.headers, options);
    return new Response(text === '' ? null : text, { status });
  };
}

/** Undefined when it is too large. */
async function wholeBody(request: Request): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunksOf(request.body ?? new Blob([]).stream())) {
    length += chunk.length;
    if (length > MOST_BYTES) return undefined;
    chunks.push(chunk);
  }
  return join(chunks, length);
}

export function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
