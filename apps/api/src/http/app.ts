import type { Logger, Metrics } from '@grsai-jobs/runtime';
import type { Router } from 'express';
import express, { type Express } from 'express';
import type { BlankSecrets } from './blank-secrets.ts';
import { type Dialect, dialectOf, errorHandler } from './errors.ts';
import { Problem } from './problem.ts';
import { requestLog } from './request-log.ts';
import { requestMetrics } from './request-metrics.ts';
import { boundUnreadBody } from './unread-body.ts';

/** Puts the routes behind what all of them share: request ids, safe headers, problems for whatever goes wrong. */
export function createApp(o: {
  log: Logger;
  metrics: Metrics;
  trustProxy: string;
  blank: BlankSecrets;
  routers: readonly Router[];
  methodsOf: (path: string) => string[];
  /** Paths whose refusals another protocol than ours has words for. */
  dialects?: readonly Dialect[];
}): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', trustProxyOf(o.trustProxy));
  app.use(requestLog(o.log, o.blank));
  app.use(requestMetrics(o.metrics));
  app.use((request, response, next) => {
    boundUnreadBody(request, response);
    // Links and keys stand in most answers; what anybody may keep says so itself.
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Referrer-Policy', 'no-referrer');
    response.setHeader('Cache-Control', 'no-store');
    next();
  });
  app.use((request, _response, next) => {
    if (request.headers.host === undefined && request.httpVersion === '1.1')
      throw new Problem('bad_request', 'Send a Host header; HTTP/1.1 asks for one.');
    // Who stands in front may have gone by the other one.
    if (hostsIn(request.rawHeaders) > 1) throw new Problem('bad_request', 'Send one Host header.');
    next();
  });
  // By themselves the routers would answer with the methods of the first one that knows the path.
  app.use((request, response, next) => {
    const methods = request.method === 'OPTIONS' ? o.methodsOf(request.path) : [];
    if (methods.length > 0) response.status(204).set('Allow', methods.join(', ')).end();
    else next();
  });
  for (const router of o.routers) app.use(router);
  app.use((request) => {
    const methods = o.methodsOf(request.path);
    if (methods.length > 0)
      throw new Problem('method_not_allowed', `${request.path} takes ${methods.join(', ')}, not ${request.method}.`, {
        headers: { Allow: methods.join(', ') },
      });
    const hint = dialectOf(request.path, o.dialects)?.hint(request.path) ?? '/docs shows what there is.';
    throw new Problem('not_found', `There is no ${request.method} ${request.path}. ${hint}`);
  });
  app.use(errorHandler(o.log, { blank: o.blank, ...(o.dialects ? { dialects: o.dialects } : {}) }));
  return app;
}

/** How many headers say the host, in a list of names and values. */
function hostsIn(headers: readonly string[]): number {
  let hosts = 0;
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts;
}

const trustProxyOf = (value: string): boolean | number | string => {
  if (value === 'off') return false;
  return /^\d+$/.test(value) ? Number(value) : value;
};
