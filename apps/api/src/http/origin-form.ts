import type { RequestListener, Server } from 'node:http';

/**
 * Hands on only requests whose target is a path: `http://any.host/path`, which every server has to take (RFC 9112 §3.2.2), is brought to
 * that form, and an address that cannot be read is refused like everything that is no HTTP. Express would answer it with a page of its own,
 * without our headers, a problem or a line in the log.
 */
export function originForm(server: Server, app: RequestListener): RequestListener {
  return (request, response) => {
    const target = request.url ?? '/';
    if (!target.startsWith('/') && target !== '*') {
      const url = URL.parse(target);
      if (url === null) {
        server.emit('clientError', Object.assign(new Error('the target is no URL'), { code: 'INVALID_TARGET' }), request.socket);
        return;
      }
      request.url = url.pathname + url.search;
    }
    app(request, response);
  };
}
