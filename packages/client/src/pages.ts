import { type CallOptions, withinStream } from './deadline.ts';
import type { Query, Transport } from './transport.ts';

/** One page of a list, as the service answers it. */
export interface Page<T> {
  data: T[];
  next_cursor?: string | null;
}

/** A list of the service, read page by page while one iterates over it. */
export interface Pages<T> extends AsyncIterable<T> {
  /** The same as pages, to go on later from a `next_cursor`. */
  pages(): AsyncIterable<Page<T>>;
}

/** @param query `limit` is the size of a page (1–100), `cursor` where it begins */
export function listOf<T>(transport: Transport, path: string, query: Query, options: CallOptions): Pages<T> {
  const pages = () =>
    withinStream(options, async function* (signal) {
      let cursor = query['cursor'];
      do {
        const { value } = await transport.request<Page<T>>('GET', path, { signal, query: { limit: 100, ...query, cursor } });
        yield value;
        cursor = value.next_cursor ?? undefined;
      } while (cursor !== undefined);
    });
  return {
    pages,
    async *[Symbol.asyncIterator]() {
      for await (const { data } of pages()) yield* data;
    },
  };
}

/** `metadata.<key>` for each key, as filters and batches take it. */
export const metadataQuery = (metadata: Readonly<Record<string, string>> = {}): Query =>
  Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`metadata.${key}`, value]));
