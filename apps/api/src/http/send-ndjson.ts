import type { Response } from 'express';
import { pacedWriter } from './paced-writer.ts';

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
  const write = pacedWriter(response, ended);
  for await (const page of pages) {
    const text = page.map((row) => `${JSON.stringify(row)}\n`).join('');
    if (text === '' ? response.destroyed : !(await write(text))) return;
  }
  response.end();
}
