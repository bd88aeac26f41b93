import { once } from 'node:events';
import type { Response } from 'express';

/**
 * Writes an answer no faster than it is taken. What comes back resolves to `false` when nobody reads on: the caller has left, or `ended` has
 * broken the connection off, as the caller may read no more. Either may have happened before.
 */
export function pacedWriter(response: Response, ended?: AbortSignal): (piece: string | Uint8Array) => Promise<boolean> {
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  const breakOff = () => void response.destroy();
  if (ended?.aborted) breakOff();
  else ended?.addEventListener('abort', breakOff, { once: true });
  return async (piece) => {
    // Neither `drain` nor `close` would come any more.
    if (response.destroyed) return false;
    if (!response.write(piece)) await once(response, 'drain', { signal: closed.signal }).catch(() => undefined);
    return !response.destroyed;
  };
}
