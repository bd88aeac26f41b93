import type { Dispatcher } from 'undici';
import { HEAD, passed, tooSlow, type WireLimit, WireLimitError, type WireLimits } from './limits.ts';

type Controller = Dispatcher.DispatchController;
type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

/** What is looked at of the socket of an exchange. */
export interface Gauge {
  readonly bytesRead: number;
  /** Has come, and was not given to the parser yet. */
  readonly readableLength: number;
}

/** Where an exchange says that it begins and ends, and learns the socket that it has. */
export interface Turn {
  begin(exchange: GuardedExchange): Gauge | undefined;
  end(exchange: GuardedExchange): void;
}

const TICK_MS = 1_000;

/** Stands before the handler of one request: counts what its answer has on the wire, ends it at a limit, and hands on bytes that pin no others. */
export class GuardedExchange implements Dispatcher.DispatchHandler {
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #turn: Turn;
  readonly #limits: WireLimits;
  #controller: Controller | undefined;
  #socket: Gauge | undefined;
  #from = 0;
  #body = 0;
  #informational = 0;
  #headEnded = false;
  #awaitedMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(handler: Dispatcher.DispatchHandler, turn: Turn, limits: WireLimits) {
    this.#handler = handler;
    this.#turn = turn;
    this.#limits = limits;
  }

  /** Bytes have come, and none of them has been given to the parser. */
  look(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    const arrived = socket.bytesRead - this.#from;
    const parsed = arrived - socket.readableLength;
    this.#stopAt(passed({ arrived, parsed, body: this.#body, headEnded: this.#headEnded }, this.#limits));
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#controller = controller;
    this.#socket = this.#turn.begin(this);
    // A kept connection carries several exchanges: each counts from where it begins.
    this.#from = (this.#socket?.bytesRead ?? 0) - (this.#socket?.readableLength ?? 0);
    this.#handler.onRequestStart?.(controller, context);
  }

  onRequestUpgrade(...upgrade: Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestUpgrade']>>): void {
    this.#end();
    this.#handler.onRequestUpgrade?.(...upgrade);
  }

  onBodySent(chunk: Buffer): void {
    this.#handler.onBodySent?.(chunk);
  }

  onRequestSent(): void {
    this.#handler.onRequestSent?.();
  }

  onResponseStarted(): void {
    this.#handler.onResponseStarted?.();
  }

  onResponseStart(controller: Controller, status: number, headers: Headers, message?: string): void {
    if (status < 200) {
      this.#informational += 1;
      if (this.#informational > HEAD.informational)
        this.#refuse('informational', `has more than ${HEAD.informational} others before it`);
    } else {
      this.#headEnded = true;
      if (this.#limits.rate !== undefined) this.#timer = setInterval(this.#onTick, Math.min(TICK_MS, this.#limits.rate.afterMs));
    }
    if (Object.values(headers).flat().length > HEAD.headers) this.#refuse('headers', `has more than ${HEAD.headers} headers`);
    if (!controller.aborted) this.#handler.onResponseStart?.(controller, status, headers, message);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#body += chunk.length;
    this.#handler.onResponseData?.(controller, ownBytes(chunk));
  }

  onResponseEnd(controller: Controller, trailers: Headers): void {
    this.#end();
    this.#handler.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Controller, error: Error): void {
    this.#end();
    this.#handler.onResponseError?.(controller, isOverflow(error) ? headersTooLarge() : error);
  }

  readonly #onTick = (): void => {
    // A body that its reader holds up is not slow.
    if (this.#controller?.paused === true) return;
    this.#awaitedMs += Math.min(TICK_MS, this.#limits.rate?.afterMs ?? TICK_MS);
    this.#stopAt(tooSlow(this.#body, this.#awaitedMs, this.#limits));
  };

  #refuse(limit: WireLimit, what: string): void {
    this.#stopAt(new WireLimitError(limit, `the answer ${what}`));
  }

  #stopAt(error: WireLimitError | undefined): void {
    if (error !== undefined && this.#controller?.aborted === false) this.#controller.abort(error);
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#turn.end(this);
  }
}

/**
 * The parser hands out views on what one read of the socket brought, up to 64 KiB: a view on one byte of it would keep all of it.
 * A chunk that is less than half of what it keeps is copied.
 */
export function ownBytes(chunk: Buffer): Buffer {
  if (chunk.length * 2 >= chunk.buffer.byteLength) return chunk;
  const copy = Buffer.allocUnsafeSlow(chunk.length);
  chunk.copy(copy);
  return copy;
}

const isOverflow = (error: Error): boolean => 'code' in error && error.code === 'UND_ERR_HEADERS_OVERFLOW';

const headersTooLarge = (): WireLimitError =>
  new WireLimitError('headers', `the headers of the answer have more than ${HEAD.headerBytes} bytes`);
