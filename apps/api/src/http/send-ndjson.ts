import { once } from 'node:events';
import type { Response } from 'express';

/**
 * Answers rows as NDJSON, page by page, no faster than they are taken. Nothing is sent before the first page is there, so
 * that what goes wrong with it is still a problem; later the connection is broken off, so that a cut answer never looks whole. So it
 * is when `ended` aborts: the caller may read no more.
 */
export async function sendNdjson(
  response: Response,
  pages: AsyncIterable<readonly unknown[]>,
  ended?: AbortSignal,
): Promise<void> {
  response.set({ 'Content-Type': 'application/x-ndjson; charset=utf-8', 'Cache-Control': 'no-store' });
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  ended?.addEventListener('abort', () => response.destroy(), { once: true });
  for await (const page of pages) {
    const text = page.map((row) => `${JSON.stringify(row)}\n`).join('');
    if (text !== '' && !response.write(text)) await once(response, 'drain', { signal: closed.signal }).catch(() => undefined);
    if (response.destroyed) return;
  }
  response.end();
}
