import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestEntry } from './bus.ts';
import { Coder, type Coding } from './coding.ts';

/** The body is larger than the front proxy lets through. */
export class BodyTooLarge extends Error {}

/** The client is gone, or the emulator closed: nobody is left to answer. */
export class Gone extends Error {}

const KEPT_BODY = 2048;

/** One request and its answer. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** Number of the node that was asked, from 0. */
  readonly node: number;
  readonly entry: RequestEntry;
  /** Fires when the exchange is over, however it ended. */
  readonly closed: AbortSignal;
  /** How the body of the answer is packed; to be set before the answer begins. */
  coding: Coding | 'none' = 'none';
  #coder: Coder | undefined;
  #onWhole: (() => void) | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, url: URL, entry: RequestEntry) {
    this.request = request;
    this.response = response;
    this.url = url;
    this.node = entry.node;
    this.entry = entry;
    const over = new AbortController();
    response.once('close', () => over.abort());
    response.once('finish', () => this.whole());
    this.closed = over.signal;
  }

  /** The key of the Bearer header; empty when there is none. */
  get key(): string {
    return /^Bearer\s+(\S+)$/i.exec(this.request.headers.authorization ?? '')?.[1] ?? '';
  }

  /** Runs `then` once the whole answer has been handed to the socket. */
  onWhole(then: () => void): void {
    this.#onWhole = then;
  }

  /** Says that nothing of the answer is missing any more, though the connection may stay open. */
  whole(): void {
    this.#onWhole?.();
  }

  /** Reads the whole body. Throws `BodyTooLarge` above `limit` bytes, and `Gone` when the client leaves. */
  async body(limit: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let length = 0;
    try {
      for await (const part of this.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        length += part.length;
        if (length > limit) throw new BodyTooLarge();
        parts.push(part);
      }
    } catch (error) {
      throw error instanceof BodyTooLarge ? error : new Gone();
    }
    const body = Buffer.concat(parts);
    this.entry.body = body.toString('utf8', 0, KEPT_BODY);
    return body;
  }

  json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): void {
    this.send(status, 'application/json; charset=utf-8', JSON.stringify(value), headers);
  }

  /** Sends a whole answer with its length. */
  send(status: number, type: string, body: string | Buffer, headers: Readonly<Record<string, string>> = {}): void {
    if (this.response.headersSent || this.response.destroyed) return;
    this.entry.status = status;
    const head = { 'content-type': type, ...headers };
    const bytes = Buffer.from(body);
    // Nothing is packed where there is nothing.
    if (this.coding === 'none' || bytes.length === 0) this.#sendWhole(status, head, bytes);
    else this.#sendCoded(status, head, bytes, new Coder(this.coding));
  }

  #sendCoded(status: number, head: Readonly<Record<string, string>>, bytes: Buffer, coder: Coder): void {
    const coded = { ...head, 'content-encoding': coder.header };
    coder.whole(bytes).then(
      (packed) => this.#sendWhole(status, coded, packed),
      () => this.cut(),
    );
  }

  #sendWhole(status: number, head: Readonly<Record<string, string>>, bytes: Buffer): void {
    if (this.response.headersSent || this.response.destroyed) return;
    this.response.writeHead(status, { ...head, 'content-length': bytes.length });
    this.response.end(bytes);
  }

  /** Sends the head of an answer whose length is not given. */
  begin(status: number, type: string, headers: Readonly<Record<string, string | number>> = {}): void {
    this.entry.status = status;
    this.#coder = this.coding === 'none' ? undefined : new Coder(this.coding);
    const coding = this.#coder === undefined ? {} : { 'content-encoding': this.#coder.header };
    this.response.writeHead(status, { 'content-type': type, ...headers, ...coding });
    this.response.flushHeaders();
  }

  /** Writes a piece, packed so that it can be read at once, and waits until the socket has taken it. */
  async write(piece: string | Buffer): Promise<void> {
    const bytes = Buffer.from(piece);
    await this.#put(this.#coder === undefined ? bytes : await this.#coder.piece(bytes));
  }

  /** Ends an answer that was begun. */
  async end(): Promise<void> {
    const rest = await this.#coder?.end();
    if (rest !== undefined && rest.length > 0) await this.#put(rest);
    this.response.end();
  }

  #put(piece: Buffer): Promise<void> {
    return new Promise((resolve) => {
      if (this.closed.aborted) return resolve();
      this.response.write(piece, () => resolve());
      this.closed.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Ends the connection without an answer or in the middle of one. `reset` sends RST, `close` FIN. */
  cut(how: 'reset' | 'close' = 'close'): void {
    const { socket } = this.request;
    if (how === 'reset') socket.resetAndDestroy();
    else socket.destroy();
  }
}
