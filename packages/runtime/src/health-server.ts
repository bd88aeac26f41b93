import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Service } from './lifecycle.ts';

/** What a health route answers: 200 when `ok`, else 503. The body never repeats a secret. */
export interface HealthAnswer {
  ok: boolean;
  body: unknown;
}

/** A handler for one path; `verbose` is true for `?verbose`. */
export type HealthRoute = (verbose: boolean) => Promise<HealthAnswer | { contentType: string; text: string }>;

/** A plain HTTP server for `/livez`, `/readyz` and `/metrics` of a process that has no API of its own. */
export async function startHealthServer(
  port: number,
  routes: Readonly<Record<string, HealthRoute>>,
): Promise<Service & { port: number }> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const route = routes[url.pathname];
    if (route === undefined || request.method !== 'GET') {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"status":"not found"}');
      return;
    }
    route(url.searchParams.has('verbose')).then(
      (answer) => {
        if ('text' in answer) response.writeHead(200, { 'content-type': answer.contentType }).end(answer.text);
        else response.writeHead(answer.ok ? 200 : 503, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
      },
      (error: unknown) =>
        response
          .writeHead(503, { 'content-type': 'application/json' })
          .end(JSON.stringify({ status: 'failing', reason: String(error) })),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return {
    name: 'health server',
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
