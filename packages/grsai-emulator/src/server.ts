import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AskError } from './ask-error.ts';
import type { RequestEntry, RequestKind } from './bus.ts';
import { Exchange, Gone } from './exchange.ts';
import type { World } from './world.ts';

export type Handler = (x: Exchange, world: World) => Promise<void>;

export interface Route {
  readonly kind: RequestKind;
  readonly handler: Handler;
}

/** Finds the route of `POST /path`; undefined for what the service does not have. */
export type Router = (method: string, path: string) => Route | undefined;

export interface Listening {
  readonly host: string;
  /** Of the first node; 0 takes a free one. */
  readonly port: number;
  /** How long an idle connection is kept, ms. */
  readonly keepAliveMs: number;
}

/** One node of the service: an address of its own. */
export class Node {
  readonly index: number;
  readonly #host: string;
  readonly #keepAliveMs: number;
  readonly #answer: (request: IncomingMessage, response: ServerResponse) => void;
  #port: number;
  #server: Server | undefined;

  constructor(index: number, { host, port, keepAliveMs }: Listening, world: World, router: Router) {
    this.index = index;
    this.#host = host;
    this.#port = port === 0 ? 0 : port + index;
    this.#keepAliveMs = keepAliveMs;
    this.#answer = (request, response) => {
      serve(request, response, index, world, router).catch(() => response.destroy());
    };
  }

  /** As `http://127.0.0.1:4100`; known once the node has started, and the same after a stop and start. */
  get url(): string {
    return `http://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${this.#port}`;
  }

  /** Opens the port. Does nothing when it is open. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer({ requestTimeout: 0, keepAliveTimeout: this.#keepAliveMs, noDelay: true }, this.#answer);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, this.#host, resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Closes the port and cuts every connection: new ones are refused. Tasks live on. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  node: number,
  world: World,
  router: Router,
): Promise<void> {
  const url = URL.parse(request.url ?? '/', 'http://emulator') ?? new URL('http://emulator/');
  const method = request.method ?? 'GET';
  const route = router(method, url.pathname);
  const entry: RequestEntry = {
    at: world.clock.now(),
    node,
    method,
    path: request.url ?? '/',
    kind: route?.kind ?? 'other',
    body: '',
    status: 0,
  };
  const x = new Exchange(request, response, url, entry);
  if (!url.pathname.startsWith('/_emulator/')) {
    x.coding = world.settings.coding;
    world.log.add(entry);
    response.once('close', () => world.bus.emit('answer', entry));
    world.bus.emit('request', entry);
  }
  try {
    if (route === undefined) x.send(404, 'text/plain', '404 page not found');
    else await route.handler(x, world);
  } catch (error) {
    if (response.headersSent) x.cut();
    else if (error instanceof AskError) x.json(400, { error: { message: `emulator: ${error.message}` } });
    else if (!(error instanceof Gone))
      x.send(599, 'text/plain', `emulator: ${error instanceof Error ? error.stack : String(error)}`);
  }
}
