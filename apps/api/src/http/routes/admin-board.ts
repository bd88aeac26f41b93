import { createBullBoard } from '@bull-board/api';
import { ExpressAdapter } from '@bull-board/express';
import type { BoardQueues } from '@grsai-jobs/queue';
import { type RequestHandler, Router } from 'express';
import type { Auth } from '../auth.ts';
import { Problem } from '../problem.ts';

const PATH = '/admin/queues';

/** The board sets styles on its elements; all else comes from here, and nothing from anybody else. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Its own buttons are off too; this is what nobody gets around. */
const onlyReads: RequestHandler = (request, _response, next) => {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    throw new Problem('method_not_allowed', 'The board only shows. PATCH /admin/v1/queues/{name} pauses a queue.', {
      headers: { Allow: 'GET, HEAD' },
    });
  next();
};

/** Its page links fonts of a third party. The policy would stop them; without the link the browser does not even try. */
const THIRD_PARTY_LINK = /<link[^>]+href="https?:[^>]*>/g;

const withoutThirdParties: RequestHandler = (_request, response, next) => {
  response.set({ 'Content-Security-Policy': CONTENT_SECURITY_POLICY, 'Cache-Control': 'no-store' });
  const send = response.send.bind(response);
  response.send = (body?: unknown) =>
    send(typeof body === 'string' && /^\s*<!doctype html/i.test(body) ? body.replaceAll(THIRD_PARTY_LINK, '') : body);
  next();
};

/** bull-board at `/admin/queues`, to look at and nothing else. A browser sends the key as the password of HTTP Basic. */
export function adminBoardRoutes(o: { auth: Auth; board: BoardQueues }): Router {
  const adapter = new ExpressAdapter();
  adapter.setBasePath(PATH);
  createBullBoard({
    queues: o.board.adapters,
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'grsai-jobs', boardLogo: { path: '', width: 0, height: 0 } } },
  });
  const router = Router();
  router.use(PATH, o.auth.requireScopeOfPage('admin:read'), onlyReads, withoutThirdParties, adapter.getRouter());
  return router;
}
