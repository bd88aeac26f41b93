import { Problem } from '../../http/problem.ts';

/** What is written of the lines after the last byte is done by then. */
const LAST_MS = 60_000;

export const unread = (): Problem =>
  new Problem('unavailable', 'The file cannot be read now. Nothing was made; send the request again.');

/**
 * The bytes of a file, or a refusal where the store breaks off, or where they do not come in time: by `until` their batch counts as one of which
 * nobody reads the lines, whose caller makes another.
 */
export async function* bytesInTime(
  body: AsyncIterable<Uint8Array>,
  { clock, until }: { clock: { now(): number }; until: number },
): AsyncGenerator<Uint8Array> {
  const bytes = body[Symbol.asyncIterator]();
  for (;;) {
    const next = await bytes.next().catch(() => {
      throw unread();
    });
    if (clock.now() > until - LAST_MS) throw unread();
    if (next.done) return;
    yield next.value;
  }
}
