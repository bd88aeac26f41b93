import type { Socket } from 'node:net';
import { buildConnector, Client, type Dispatcher } from 'undici';
import { type Gauge, GuardedExchange, type Turn } from './exchange.ts';
import { HEAD, type WireLimits } from './limits.ts';

/** What a request may say of its answer, beside what undici knows. */
export interface GuardedOptions {
  /** Instead of the limits that its client has for all. */
  readonly wire?: WireLimits;
}

/**
 * Makes the connections of a pool (its `factory`): each counts what comes on the wire for one exchange, from its socket, since HTTP shows neither
 * chunk extensions nor blanks. One request at a time; bytes that come while none is open end the connection.
 */
export const guardedClient =
  (limits: WireLimits) =>
  (origin: string | URL, options: object): Dispatcher =>
    new GuardedClient(origin, options, limits);

class GuardedClient extends Client {
  readonly #line: Line;
  readonly #limits: WireLimits;

  constructor(origin: string | URL, { connect, ...options }: Client.Options, limits: WireLimits) {
    const line = new Line(typeof connect === 'function' ? connect : buildConnector({ ...connect, allowH2: false }));
    super(origin, { ...options, allowH2: false, maxHeaderSize: HEAD.headerBytes, connect: line.connect });
    this.#line = line;
    this.#limits = limits;
  }

  override dispatch(options: Dispatcher.DispatchOptions & GuardedOptions, handler: Dispatcher.DispatchHandler): boolean {
    return super.dispatch(options, new GuardedExchange(handler, this.#line, options.wire ?? this.#limits));
  }
}

/** The connection of a client, one socket after another, and whose turn it is on it. */
class Line implements Turn {
  readonly #open: buildConnector.connector;
  #socket: Socket | undefined;
  #exchange: GuardedExchange | undefined;

  constructor(open: buildConnector.connector) {
    this.#open = open;
  }

  readonly connect: buildConnector.connector = (target, callback) =>
    this.#open(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      this.#watch(socket);
      callback(null, socket);
    });

  begin(exchange: GuardedExchange): Gauge | undefined {
    this.#exchange = exchange;
    return this.#socket;
  }

  end(exchange: GuardedExchange): void {
    if (this.#exchange === exchange) this.#exchange = undefined;
  }

  /** `readable` comes before undici reads: its own listener is added after this one. */
  #watch(socket: Socket): void {
    this.#socket = socket;
    socket.on('readable', () => {
      if (this.#exchange !== undefined) this.#exchange.look();
      else if (socket.readableLength > 0) socket.destroy(); // without an error, which would fail the requests that wait
    });
  }
}
