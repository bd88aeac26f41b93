import type { Response } from 'express';
import { pacedWriter } from './paced-writer.ts';

/**
 * Answers pieces as they come, no faster than they are taken. Nothing is sent before the first is there, so that what goes wrong with it is
 * still a problem; later the connection is broken off, so that a cut answer never looks whole. So it is when `ended` aborts: the caller may
 * read no more.
 */
export async function sendPieces(
  response: Response,
  pieces: AsyncIterable<string | Uint8Array>,
  { headers, ended }: { headers: Record<string, string>; ended: AbortSignal },
): Promise<void> {
  const write = pacedWriter(response, ended);
  let begun = false;
  try {
    for await (const piece of pieces) {
      if (!begun && !response.destroyed) response.set(headers);
      begun = true;
      if (!(await write(piece))) return;
    }
    response.end();
  } catch (error) {
    if (!begun) throw error;
    response.destroy(error as Error);
  }
}
