import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Service } from './lifecycle.ts';
import type { Logger } from './logger.ts';
import { readTarget } from './request-target.ts';
import { sharedLook } from './shared-look.ts';

/** What a health route answers: 200 when `ok`, else 503. The body never repeats a secret. */
export interface HealthAnswer {
  ok: boolean;
  body: unknown;
}

/** A handler for one path. It only reads: anyone who can send a request can ask. */
export type HealthRoute = () => Promise<HealthAnswer | { contentType: string; text: string }>;

/** Whoever asks within so many ms gets one answer: no flood of requests reaches what the answer is made of. */
export const HEALTH_FRESH_MS = 250;

/** A stranger holds a connection for seconds and not for minutes; beyond so many connections a new one is closed at once. */
const LIMITS = { headersTimeout: 5000, requestTimeout: 5000, keepAliveTimeout: 5000, connectionsCheckingInterval: 1000 } as const;
const MOST_CONNECTIONS = 256;

interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

const json = (status: number, body: unknown): Reply => ({ status, contentType: 'application/json', text: JSON.stringify(body) });

const NOT_FOUND = json(404, { status: 'not found' });
const NOT_ALLOWED = json(405, { status: 'method not allowed' });
const FAILING = json(503, { status: 'failing' });

/**
 * A plain HTTP server for `/livez`, `/readyz` and `/metrics` of a process that has no API of its own. Whatever a request holds, it is
 * answered or its connection closed: nothing of it ends the process.
 */
export async function startHealthServer(o: {
  host: string;
  port: number;
  routes: Readonly<Record<string, HealthRoute>>;
  log: Pick<Logger, 'warn'>;
}): Promise<Service & { port: number }> {
  const looks = new Map(Object.entries(o.routes).map(([path, route]) => [path, sharedLook(HEALTH_FRESH_MS, route)]));

  async function replyTo(request: IncomingMessage): Promise<Reply> {
    const look = looks.get(readTarget(request.url)?.pathname ?? '');
    if (look === undefined) return NOT_FOUND;
    if (request.method !== 'GET' && request.method !== 'HEAD') return NOT_ALLOWED;
    const answer = await look();
    return 'text' in answer ? { status: 200, ...answer } : json(answer.ok ? 200 : 503, answer.body);
  }

  const failed = (err: unknown): Reply => {
    o.log.warn({ event: 'health.failed', err }, 'a health route failed');
    return FAILING;
  };

  const server = createServer(LIMITS, (request, response) => {
    replyTo(request)
      .catch(failed)
      .then((reply) => send(response, reply))
      .catch(() => response.destroy());
  });
  server.maxConnections = MOST_CONNECTIONS;
  await listening(server, o.host, o.port);
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

function send(response: ServerResponse, { status, contentType, text }: Reply): void {
  response
    .writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    .end(text);
}

const listening = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
