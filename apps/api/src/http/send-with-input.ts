import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import type { OpenInput } from '../use-cases/open-input.ts';

/**
 * Answers a job whose input is in the object store: its text passes through as it comes and no faster than it is taken. One that breaks
 * breaks the connection off, so that a cut answer never looks whole.
 */
export async function sendWithInput(response: Response, view: object, input: OpenInput): Promise<void> {
  const { input: _input, input_truncated: _truncated, ...rest } = view as Record<string, unknown>;
  const [head, tail] = ['{"input":', `,${JSON.stringify(rest).slice(1)}`];
  response.type('json').set('Content-Length', String(Buffer.byteLength(head + tail) + input.bytes));
  async function* parts() {
    yield head;
    let sent = 0;
    for await (const chunk of input.text as AsyncIterable<Uint8Array>) {
      sent += chunk.length;
      if (sent > input.bytes) break;
      yield chunk;
    }
    if (sent !== input.bytes) throw new Error('the stored input has another length than its record says');
    yield tail;
  }
  try {
    await pipeline(Readable.from(parts(), { objectMode: false }), response);
  } catch (error) {
    if (!response.destroyed) response.destroy(error as Error);
  } finally {
    input.close();
  }
}
