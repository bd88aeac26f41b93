import type { FeedEvent } from '@grsai-jobs/job-store';
import { rfc3339 } from '@grsai-jobs/jobs';
import type { Response } from 'express';

export const HEARTBEAT_MS = 15_000;
/** How soon a browser comes back after the stream broke. */
const COME_BACK_MS = 2000;
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
  response.set({
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  const write = (text: string) => {
    if (response.destroyed || response.writableEnded) return;
    response.write(text);
    if (response.writableLength > MAX_BEHIND_BYTES) response.destroy();
  };
  write(`retry: ${COME_BACK_MS}\n\n`);
  const heartbeat = setInterval(() => write(': still here\n\n'), heartbeatMs);
  response.on('close', () => clearInterval(heartbeat));
  return {
    send: (event) => write(`id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(eventView(event))}\n\n`),
    end: () => {
      clearInterval(heartbeat);
      response.end();
    },
  };
}
