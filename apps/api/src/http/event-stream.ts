import type { FeedEvent } from '@grsai-jobs/job-store';
import { rfc3339 } from '@grsai-jobs/jobs';
import type { Response } from 'express';

export const HEARTBEAT_MS = 15_000;
/** How soon a browser comes back after the stream broke: 2 s. */
export const COME_BACK = 'retry: 2000\n\n';
/** A watcher that is this far behind is let go; it comes back with its `Last-Event-ID`. */
const MAX_BEHIND_BYTES = 256 * 1024;

/** An event as callers see it. */
export const eventView = ({ at, ...event }: FeedEvent) => ({ ...event, timestamp: rfc3339(at) });

export interface EventStream {
  send(event: FeedEvent): void;
  end(): void;
}

/** Opens `text/event-stream` on a response, with a comment every so often that keeps proxies from closing it. */
export function openEventStream(response: Response, heartbeatMs: number): EventStream {
  const { write, end } = open(response, heartbeatMs, (text) => {
    response.write(text);
    if (response.writableLength > MAX_BEHIND_BYTES) response.destroy();
  });
  write(COME_BACK);
  return {
    send: (event) => write(`id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(eventView(event))}\n\n`),
    end,
  };
}

/** A reader that takes nothing for so long is let go. */
const TAKES_NOTHING_MS = 60_000;

export interface PacedStream {
  /** Resolves when the reader can take more, or has left. */
  write(text: string): Promise<void>;
  end(): void;
}

/** The same for who writes no faster than is read. */
export function openPacedStream(response: Response, heartbeatMs: number, takesNothingMs = TAKES_NOTHING_MS): PacedStream {
  // A comment more in front of what is not read yet keeps nothing open.
  const { write, end } = open(
    response,
    heartbeatMs,
    (text) => response.write(text),
    () => !response.writableNeedDrain,
  );
  return {
    async write(text) {
      write(text);
      if (!response.writableNeedDrain || response.destroyed) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(() => response.destroy(), takesNothingMs);
      for (const event of ['drain', 'close']) response.once(event, resolve);
      await promise;
      clearTimeout(timer);
      for (const event of ['drain', 'close']) response.off(event, resolve);
    },
    end,
  };
}

function open(response: Response, heartbeatMs: number, send: (text: string) => void, mayComment = () => true) {
  response.set({
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  const write = (text: string) => {
    if (!response.destroyed && !response.writableEnded) send(text);
  };
  const heartbeat = setInterval(() => {
    if (mayComment()) write(': still here\n\n');
  }, heartbeatMs);
  const stop = () => clearInterval(heartbeat);
  response.on('close', stop);
  // Of somebody who has left before it does not come any more.
  if (response.destroyed) stop();
  return {
    write,
    end: () => {
      stop();
      response.end();
    },
  };
}
