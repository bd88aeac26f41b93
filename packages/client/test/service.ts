import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { GrsaiJobs, type GrsaiJobsOptions } from '../src/index.ts';

/** One request as it came, whole. */
export interface Came {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  /** Unpacked. */
  body: string;
}

export type Answer = (response: ServerResponse, came: Came) => void | Promise<void>;

/** A server that answers requests one after another as a test says, the last way for ever. */
export interface Service {
  url: string;
  came: Came[];
  /** Requests so far, without their bodies. */
  lines(): string[];
  client(options?: GrsaiJobsOptions): GrsaiJobs;
  /** Stops to listen, with all connections cut; `start` listens at the same port again. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function serve(...answers: Answer[]): Promise<Service> {
  return await serveBy((_, at) => answers[Math.min(at, answers.length - 1)] as Answer);
}

/** `answerOf` chooses by the request and how many came before it. */
export async function serveBy(answerOf: (came: Came, at: number) => Answer): Promise<Service> {
  const came: Came[] = [];
  let server: Server;
  let port = 0;
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    const body = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString();
    const entry = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
    const at = came.push(entry) - 1;
    await answerOf(entry, at)(response, entry);
  };
  const start = async () => {
    server = createServer((request, response) => {
      handle(request, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  };
  const stop = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  await start();
  onTestFinished(stop);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    came,
    start,
    stop,
    lines: () => came.map((each) => `${each.method} ${each.url}`),
    client: (options) => new GrsaiJobs({ baseUrl: url, apiKey: 'gj_test', ...options }),
  };
}

export const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
export const problem = (status: number, code: string, headers: Record<string, string> = {}): Answer =>
  json({ code, status, detail: `${code}!`, request_id: 'req_1' }, status, headers);
/** The request was taken, and nobody learns of it. */
export const lost: Answer = (response) => void response.destroy();
export const silent: Answer = () => undefined;
/** The beginning of an answer, and then a cut. */
export const cut =
  (text: string, headers: Record<string, string> = {}): Answer =>
  async (response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers });
    await new Promise((resolve) => response.write(text, resolve));
    // The bytes have left this process when the socket has taken them.
    response.destroy();
  };
export const text =
  (body: string, headers: Record<string, string>): Answer =>
  (response) => {
    response.writeHead(200, headers).end(body);
  };

export const SSE = { 'content-type': 'text/event-stream' };
export const NDJSON = { 'content-type': 'application/x-ndjson' };

export const job = (status: string, more: object = {}) => ({
  id: 'job_1',
  object: 'job',
  type: 'chat',
  status,
  stage: null,
  run: 1,
  progress: status === 'succeeded' ? 100 : 0,
  result: null,
  error: null,
  ...more,
});
/** An event of that job, as the stream has it. */
export const event = (seq: number, status: string, progress = 0): string => {
  const data = {
    job_id: 'job_1',
    seq,
    type: `job.${status}`,
    status,
    stage: null,
    run: 1,
    progress,
    timestamp: '2026-11-23T06:43:28Z',
  };
  return `id: ${seq}\nevent: job.${status}\ndata: ${JSON.stringify(data)}\n\n`;
};
