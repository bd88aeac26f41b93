import { inspect } from 'node:util';
import { Account, Models } from './account.ts';
import { Chat } from './chat.ts';
import { Images } from './images.ts';
import { BASE_URLS, type CallOptions, type GrsaiOptions, TIMEOUTS, type Timeouts } from './options.ts';
import { type BaseFacts, type KeyState, probeBase, probeKey } from './probe.ts';
import { scrubber } from './redact.ts';
import { Transport } from './transport.ts';

/** What a caller of the API can ask for: the public part of `Grsai`, so that something else can stand in its place. */
export interface GrsaiApi {
  readonly baseUrls: readonly string[];
  readonly chat: Pick<Chat, keyof Chat>;
  readonly images: Pick<Images, keyof Images>;
  readonly account: Pick<Account, keyof Account>;
  readonly models: Pick<Models, keyof Models>;
  probeKey(options?: CallOptions): Promise<KeyState>;
  probeBase(base: string, options?: CallOptions): Promise<BaseFacts>;
}

/**
 * A client of the Grsai API. It repeats no POST by itself; the second node is tried only where the first cannot have made a task.
 * Every failure is a `GrsaiError`. Close it when done, so that its connections end.
 */
export class Grsai implements GrsaiApi {
  /** Nodes in the order they are tried, as they appear in `Submitted.base`. */
  readonly baseUrls: readonly string[];
  readonly chat: Chat;
  readonly images: Images;
  readonly account: Account;
  readonly models: Models;
  readonly #timeouts: Timeouts;
  readonly #transport: Transport;

  /** Throws a `TypeError`, without the key in it, when an option cannot work. */
  constructor({ apiKey, baseUrls = BASE_URLS, timeouts, dispatcher, logger }: GrsaiOptions) {
    if (!/^[\x21-\x7e]+$/.test(apiKey)) throw new TypeError('apiKey must be visible ASCII without spaces');
    if (baseUrls.length === 0) throw new TypeError('baseUrls must name at least one node');
    this.baseUrls = baseUrls.map(normalBase);
    this.#timeouts = { ...TIMEOUTS, ...timeouts };
    this.#transport = new Transport({
      apiKey,
      bases: this.baseUrls,
      timeouts: this.#timeouts,
      dispatcher,
      logger,
    });
    const wire = { transport: this.#transport, scrub: scrubber(apiKey) };
    this.chat = new Chat(wire);
    this.images = new Images(wire);
    this.account = new Account(wire, apiKey);
    this.models = new Models(wire);
  }

  /** Whether upstream takes the key; costs nothing. Never throws but for the caller's signal. */
  probeKey(options: CallOptions = {}): Promise<KeyState> {
    return probeKey(this.chat, this.#timeouts.queryMs, options);
  }

  /** Whether something answers at a base, and whether it is the Grsai API; costs nothing. Never throws but for the caller's signal. */
  probeBase(base: string, options: CallOptions = {}): Promise<BaseFacts> {
    return probeBase(this.images, base, this.#timeouts.queryMs, options);
  }

  /** Waits for the in-flight calls and ends the client's own connections; an injected dispatcher stays open. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  toJSON(): Record<string, unknown> {
    return { baseUrls: this.baseUrls };
  }

  [inspect.custom](): string {
    return `Grsai ${inspect(this.toJSON())}`;
  }
}

function normalBase(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new TypeError('baseUrls must be http(s) URLs');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TypeError('baseUrls must have no credentials, query or fragment');
  }
  return url.origin + url.pathname.replace(/\/+$/, '');
}
