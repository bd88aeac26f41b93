import { Readable } from 'node:stream';

/**
 * Ends a body at once, whatever state it is in. `return()` alone is not enough for a stream: before the first `next()` it closes
 * nothing, and behind a `next()` that hangs it waits. Never throws, waits for nothing.
 */
export function letGo(body: AsyncIterable<Uint8Array>, iterator: AsyncIterator<Uint8Array>): void {
  if (body instanceof Readable) body.on('error', () => undefined).destroy();
  void Promise.resolve(iterator.return?.()).catch(() => undefined);
}
