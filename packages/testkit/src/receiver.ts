import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { PATIENCE_MS, within } from './wait-for.ts';

/** One request as it came in. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body parsed; undefined when it is not JSON. */
  readonly json: unknown;
  /** When the body was complete, milliseconds since the epoch. */
  readonly at: number;
  /** What the reference library `standardwebhooks` says; `unchecked` without a secret. */
  readonly signature: 'valid' | 'invalid' | 'unchecked';
}

/**
 * How to answer: a status; a status with more; `hang` = never (the connection stays open); `reset` = break the connection.
 * `delayMs` waits before the first byte of the answer.
 */
export type Answer =
  | number
  | 'hang'
  | 'reset'
  | { status: number; headers?: Record<string, string>; body?: string; delayMs?: number }
  | { redirect: string };

/** Decides from the request and how many came before it. */
export type Responder = (request: Received, index: number) => Answer | Promise<Answer>;

/** A receiver of webhooks on 127.0.0.1. */
export interface Receiver {
  readonly url: string;
  readonly port: number;
  /** All requests so far, oldest first. */
  readonly received: readonly Received[];
  /** Most requests that were open at one time. */
  readonly peak: number;
  /** From now on: answers used one after another, the last one for ever; or a function. Without it every answer is 200. */
  respond(...answers: [Responder] | readonly Answer[]): void;
  /** Checks the signatures of what comes from now on (`whsec_…`). */
  useSecret(secret: string): void;
  /** The first `count` requests, as soon as there are so many. */
  waitFor(count: number, options?: { timeoutMs?: number }): Promise<Received[]>;
  /** The first request, past or to come, that fits. */
  waitFor(fits: (request: Received) => boolean, options?: { timeoutMs?: number }): Promise<Received>;
  /** Forgets what was received. */
  clear(): void;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a receiver on a port of its own. */
export async function startReceiver(options: { secret?: string } = {}): Promise<Receiver> {
  const received: Received[] = [];
  const watchers = new Set<() => void>();
  let secret = options.secret;
  let responder: Responder = () => 200;
  let open = 0;
  let peak = 0;

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    open += 1;
    peak = Math.max(peak, open);
    response.once('close', () => {
      open -= 1;
    });
    const entry = await read(request, secret);
    const index = received.push(entry) - 1;
    const answer = responder(entry, index);
    for (const look of watchers) look();
    await send(response, await answer);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  function seen<T>(look: () => T | undefined, what: () => string, timeoutMs = PATIENCE_MS): Promise<T> {
    let check: () => void = () => undefined;
    const found = new Promise<T>((resolve) => {
      check = () => {
        const value = look();
        if (value !== undefined) resolve(value);
      };
      watchers.add(check);
      check();
    });
    const described = (): string =>
      `${what()}; ${received.length} came: ${received.map((r) => r.body.slice(0, 200)).join(' | ')}`;
    return within(found, timeoutMs, described).finally(() => watchers.delete(check));
  }
  function waitFor(count: number, o?: { timeoutMs?: number }): Promise<Received[]>;
  function waitFor(fits: (request: Received) => boolean, o?: { timeoutMs?: number }): Promise<Received>;
  function waitFor(
    want: number | ((request: Received) => boolean),
    o: { timeoutMs?: number } = {},
  ): Promise<Received[] | Received> {
    if (typeof want === 'function')
      return seen(
        () => received.find(want),
        () => `a request that fits ${want}`,
        o.timeoutMs,
      );
    return seen(
      () => (received.length >= want ? received.slice(0, want) : undefined),
      () => `${want} requests`,
      o.timeoutMs,
    );
  }
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    received,
    get peak() {
      return peak;
    },
    respond: (...answers) => {
      responder = typeof answers[0] === 'function' ? answers[0] : inTurn(answers as readonly Answer[]);
    },
    useSecret: (value) => {
      secret = value;
    },
    waitFor,
    clear: () => {
      received.length = 0;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function inTurn(answers: readonly Answer[]): Responder {
  let used = 0;
  return () => answers[Math.min(used++, answers.length - 1)] ?? 200;
}

async function read(request: IncomingMessage, secret: string | undefined): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  const { headers } = request;
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers,
    body,
    json: parse(body),
    at: Date.now(),
    signature: secret === undefined ? 'unchecked' : isSigned(secret, headers, body) ? 'valid' : 'invalid',
  };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function isSigned(secret: string, headers: IncomingHttpHeaders, body: string): boolean {
  try {
    const text = Object.entries(headers).map(([name, value]) => [name, String(value)]);
    new Webhook(secret).verify(body, Object.fromEntries(text), { jsonParse: false });
    return true;
  } catch {
    return false;
  }
}

async function send(response: ServerResponse, answer: Answer): Promise<void> {
  if (answer === 'hang') return;
  if (answer === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  if (typeof answer === 'number') {
    response.writeHead(answer).end();
    return;
  }
  if ('redirect' in answer) {
    response.writeHead(302, { location: answer.redirect }).end();
    return;
  }
  if (answer.delayMs !== undefined) await sleep(answer.delayMs, undefined, { ref: false });
  response.writeHead(answer.status, answer.headers).end(answer.body);
}
