import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';

/** A request as the service took it. */
interface Taken {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingMessage['headers'];
  /** Unpacked. */
  body: string;
}

export type Handler = (taken: Taken, response: ServerResponse) => void | Promise<void>;

/**
 * A small HTTP server that speaks the HTTP API, for what the whole service cannot be brought to do
 * on request: to be away for one answer, or to break off in the middle of one. Stops with the test.
 */
export async function startService(handler: Handler) {
  const requests: Taken[] = [];
  const server = createServer((request, response) => void take(request, response));
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://service');
    const body = await buffer(request).catch(() => Buffer.alloc(0));
    const packed = request.headers['content-encoding'] === 'gzip';
    const taken: Taken = {
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body: (packed ? gunzipSync(body) : body).toString('utf8'),
    };
    requests.push(taken);
    await handler(taken, response);
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

export function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const type = status >= 400 ? 'application/problem+json' : 'application/json';
  response.writeHead(status, { 'content-type': type, ...headers }).end(JSON.stringify(body));
}

/** A batch as `GET /v1/batches/{id}` answers it. */
export function batchOf(more: Record<string, unknown> = {}, counts: Record<string, number> = {}) {
  const id = 'batch_01KB0000000000000000000000';
  return {
    id,
    object: 'batch',
    status: 'running',
    counts: { total: 3, queued: 0, running: 0, succeeded: 0, failed: 0, canceled: 0, expired: 0, ...counts },
    round: 1,
    invalid_count: 0,
    metadata: {},
    webhook: { url: null, events: [], state: 'none', last_delivery_id: null },
    results_file: null,
    created_at: '2026-05-01T12:00:00.000Z',
    finished_at: null,
    expires_at: '2026-05-02T12:00:00.000Z',
    links: { self: `/v1/batches/${id}` },
    ...more,
  };
}
