import type { Metrics } from '@grsai-jobs/runtime';
import type { RequestHandler } from 'express';

/** Seconds: reads and posts take milliseconds, `Prefer: wait` and a batch take up to minutes. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60] as const;

/**
 * Counts and times each request by method, route and status. The route is the pattern (`/v1/jobs/:id`), never the path, and what
 * no route took is one row, so that no caller can make new rows.
 */
export function requestMetrics(metrics: Metrics): RequestHandler {
  const duration = metrics.histogram(
    'http_request_duration_seconds',
    'Requests, from their head to the end of the answer; streams of events as long as they last',
    ['method', 'route', 'status'],
    BUCKETS,
  );
  return (request, response, next) => {
    const end = duration.startTimer();
    response.on('close', () => {
      const path: unknown = (request.route as { path?: unknown } | undefined)?.path;
      const isKnown = typeof path === 'string';
      end({ method: isKnown ? request.method : 'any', route: isKnown ? path : 'none', status: response.statusCode });
    });
    next();
  };
}
