/** Streams of bytes, by what every runtime has. */

export type Bytes = Uint8Array<ArrayBuffer>;

/** The chunks of a stream; whoever leaves early cancels it. (Not every runtime can iterate over a stream.) */
export async function* chunksOf<T>(stream: ReadableStream<T>): AsyncGenerator<T, void, undefined> {
  const reader = stream.getReader();
  let read = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        read = true;
        return;
      }
      yield value;
    }
  } finally {
    if (!read) await reader.cancel().catch(() => undefined);
  }
}

/** A stream that takes from `source` what it is asked for. */
export function streamOf<T>(source: AsyncIterator<T>): ReadableStream<T> {
  return new ReadableStream<T>({
    async pull(controller) {
      const { done, value } = await source.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await source.return?.();
    },
  });
}

/** The same bytes, packed by gzip; only where the runtime has `CompressionStream`. */
export function gzip(source: AsyncIterator<Bytes>): AsyncGenerator<Bytes, void, undefined> {
  return chunksOf(streamOf(source).pipeThrough(new CompressionStream('gzip') as TransformStream<Bytes, Bytes>));
}

export const canGzip = (): boolean => typeof CompressionStream === 'function';

/** Whether the body of a request may be a stream here: such a runtime reads `duplex`, and takes a stream for no string. */
export function canStreamRequests(): boolean {
  let asked = false;
  try {
    const request = new Request('http://localhost', {
      method: 'POST',
      body: new ReadableStream(),
      get duplex() {
        asked = true;
        return 'half' as const;
      },
    } as RequestInit);
    return asked && !request.headers.has('content-type');
  } catch {
    return false;
  }
}
