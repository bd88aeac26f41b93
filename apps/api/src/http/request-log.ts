import { randomUUID } from 'node:crypto';
import type { Logger } from '@grsai-jobs/runtime';
import type { RequestHandler } from 'express';
import type { BlankSecrets } from './blank-secrets.ts';

const USABLE = /^[\x21-\x7e]{1,128}$/;

/** Gives each request an id (the caller's own when it sends one), says it in the answer, and logs one line at the end, without keys that stand in the path. */
export function requestLog(log: Logger, blank: BlankSecrets): RequestHandler {
  return (request, response, next) => {
    const given = request.headers['x-request-id'];
    const requestId = typeof given === 'string' && USABLE.test(given) ? given : `req_${randomUUID()}`;
    response.locals['requestId'] = requestId;
    response.setHeader('X-Request-Id', requestId);
    const started = performance.now();
    response.on('close', () => {
      const quiet =
        response.statusCode < 400 && (request.path === '/livez' || request.path === '/readyz' || request.path === '/metrics');
      log[quiet ? 'debug' : response.statusCode >= 500 ? 'error' : 'info'](
        {
          event: 'http.request',
          request_id: requestId,
          method: request.method,
          path: blank(request.path),
          status: response.statusCode,
          duration_ms: Math.round((performance.now() - started) * 10) / 10,
          tenant: (response.locals['principal'] as { tenant: string } | undefined)?.tenant,
          job_id: response.locals['jobId'] as string | undefined,
          code: response.locals['problemCode'] as string | undefined,
          aborted: response.writableFinished ? undefined : true,
        },
        'request',
      );
    });
    next();
  };
}
