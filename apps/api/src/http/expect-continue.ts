import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';

/**
 * Lets a request with `Expect: 100-continue` be judged by its head: a refusal is answered before the body is sent, and the
 * connection closed, since what would come on it next is that body or not (RFC 9110 §10.1.1).
 */
export function judgeByHead(server: Server, app: RequestListener): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('Connection', 'close');
    app(request, response);
  });
}

/** Asks for the body if its sender waits to be asked; called by whoever is about to read it. */
export function letBodyCome(request: IncomingMessage, response: ServerResponse): void {
  const waits = /^100-continue$/i.test(request.headers.expect ?? '') && response.getHeader('Connection') === 'close';
  if (!waits || response.headersSent) return;
  response.removeHeader('Connection');
  response.writeContinue();
}
