import type { IncomingMessage } from 'node:http';
import { Problem } from './problem.ts';

/** How slowly a body may come: after `graceMs` of waiting for it no slower than so many bytes a second. */
export interface Pace {
  graceMs: number;
  bytesPerS: number;
  /** How often that is looked at. */
  checkMs: number;
}

export const UPLOAD_PACE: Pace = { graceMs: 30_000, bytesPerS: 1024, checkMs: 1000 };

const tooSlow = ({ graceMs, bytesPerS }: Pace): Problem =>
  new Problem(
    'request_timeout',
    `The body came too slowly: after ${graceMs / 1000} s at least ${bytesPerS} bytes a second are asked for. Nothing was accepted; send it again.`,
  );

/**
 * The chunks of a body, as long as it comes fast enough. Only the time counts in which we wait for its sender, never that in which the sender
 * waits for us.
 * @throws Problem 408
 */
export async function* inTime(source: AsyncIterable<unknown>, request: IncomingMessage, pace: Pace): AsyncGenerator<Uint8Array> {
  const { socket } = request;
  const before = socket.bytesRead;
  const iterator = source[Symbol.asyncIterator]();
  let waited = 0;
  let since: number | null = null;
  let give: (error: Problem) => void = () => undefined;
  const check = setInterval(() => {
    if (since === null) return;
    const spent = waited + performance.now() - since;
    const enough = (1000 * (socket.bytesRead - before)) / pace.bytesPerS;
    if (spent > Math.max(pace.graceMs, enough)) give(tooSlow(pace));
  }, pace.checkMs);
  try {
    for (;;) {
      since = performance.now();
      // A promise for each wait: one for all would keep what each race has left on it.
      const step = await new Promise<IteratorResult<unknown>>((resolve, reject) => {
        give = reject;
        iterator.next().then(resolve, reject);
      });
      waited += performance.now() - since;
      since = null;
      if (step.done === true) return;
      yield step.value as Uint8Array;
    }
  } finally {
    clearInterval(check);
    const ended = iterator.return?.().catch(() => undefined);
    // While it waits for something to come, or for the end of the connection, it does not end.
    if (since === null) await ended;
  }
}
