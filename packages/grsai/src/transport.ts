import { Agent, type Dispatcher, Pool } from 'undici';
import type { Payload } from './body.ts';
import type { CallerWords } from './caller-words.ts';
import { GrsaiError, type Tried } from './errors.ts';
import { exchange, type Response } from './exchange.ts';
import { type GrsaiLogger, limitsFor, type Pace, type Timeouts, wireLimitsFor } from './options.ts';
import { guardedClient } from './wire-guard/index.ts';

export interface TransportOptions {
  readonly apiKey: string;
  readonly bases: readonly string[];
  readonly timeouts: Timeouts;
  readonly dispatcher?: Dispatcher | undefined;
  readonly logger?: GrsaiLogger | undefined;
}

/** One call of upstream. */
export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly payload?: Payload;
  readonly pace: Pace;
  /** May make a paid image task: sent over a connection of its own (design.md §4). */
  readonly paid: boolean;
  /** Can be made twice without a second paid task. */
  readonly repeatable: boolean;
  /** Only this base; without it, all in order. */
  readonly base?: string | undefined;
  /** Leaves the bearer header out, for the side calls that carry the key in the body (upstream.md §8). */
  readonly anonymous?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** What the caller wrote of this call. */
  readonly words?: (() => CallerWords) | undefined;
}

/** An answer that began, and the bases that could not be reached before it. */
export interface Reached {
  readonly response: Response;
  readonly tried: readonly Tried[];
}

/** Sends calls: chooses the dispatcher, goes on to the next base only where no task can exist, repeats nothing else. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #kept: Dispatcher;
  readonly #fresh: Dispatcher;
  readonly #own: readonly Agent[];
  readonly #closing = new AbortController();

  constructor(options: TransportOptions) {
    this.#options = options;
    if (options.dispatcher !== undefined) {
      this.#kept = options.dispatcher;
      this.#fresh = options.dispatcher;
      this.#own = [];
      return;
    }
    const connect = { timeout: options.timeouts.connectMs };
    const client = guardedClient(wireLimitsFor('query'));
    const factory = (origin: string | URL, options: object) => new Pool(origin, { ...options, factory: client });
    const kept = new Agent({ allowH2: false, connect, factory });
    const fresh = new Agent({ allowH2: false, pipelining: 0, connect, factory });
    this.#kept = kept;
    this.#fresh = fresh;
    this.#own = [kept, fresh];
  }

  /** Resolves at the head of the first answer, whatever its status; rejects with the error of the last base that was tried. */
  async send(call: Call): Promise<Reached> {
    const bases = call.base === undefined ? this.#options.bases : [call.base];
    const tried: Tried[] = [];
    for (const base of bases.slice(0, -1)) {
      try {
        return { response: await this.#attempt(call, base), tried };
      } catch (error) {
        if (!mayGoOn(error, call)) throw withTried(error, tried);
        tried.push({ base, code: error.code });
      }
    }
    try {
      return { response: await this.#attempt(call, bases.at(-1) ?? ''), tried };
    } catch (error) {
      throw withTried(error, tried);
    }
  }

  /** Ends the client's own connections once the in-flight calls are done. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#own.map((agent) => agent.close()));
  }

  async #attempt(call: Call, base: string): Promise<Response> {
    const began = performance.now();
    const line = { method: call.method, path: call.path.split('?')[0], base };
    const ms = () => Math.round(performance.now() - began);
    try {
      const response = await exchange({
        dispatcher: call.paid ? this.#fresh : this.#kept,
        base,
        path: call.path,
        method: call.method,
        headers: this.#headers(call),
        payload: call.payload,
        limits: limitsFor(call.pace, this.#options.timeouts),
        wire: wireLimitsFor(call.pace),
        signal: call.signal,
        closing: this.#closing.signal,
        repeatable: call.repeatable,
        words: call.words,
      });
      this.#options.logger?.debug({ ...line, status: response.status, ms: ms() }, 'grsai answered');
      return response;
    } catch (error) {
      if (error instanceof GrsaiError) {
        this.#options.logger?.debug({ ...line, code: error.code, outcome: error.outcome, ms: ms() }, 'grsai call failed');
      }
      throw error;
    }
  }

  #headers(call: Call): Record<string, string> {
    return {
      accept: 'application/json, text/event-stream',
      ...(call.payload === undefined ? {} : { 'content-type': 'application/json' }),
      ...(call.anonymous === true ? {} : { authorization: `Bearer ${this.#options.apiKey}` }),
    };
  }
}

/** Whether the next base may be tried: nothing was made here, and the body can begin again. */
function mayGoOn(error: unknown, call: Call): error is GrsaiError {
  if (!(error instanceof GrsaiError) || error.outcome !== 'not_sent') return false;
  if (error.code !== 'connection_failed' && error.code !== 'timeout') return false;
  return call.payload === undefined || call.payload.fresh();
}

function withTried(error: unknown, tried: readonly Tried[]): unknown {
  if (error instanceof GrsaiError) error.tried = tried;
  return error;
}
