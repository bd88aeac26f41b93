import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { RedisCommand, RespSplitter } from './resp.ts';

/** A command name (any case), or a question about the whole command. */
export type CommandMatch = string | ((command: RedisCommand) => boolean);

/** A TCP proxy in front of a Redis that counts what clients ask and breaks connections where a test says so. */
export interface RedisProxy {
  /** The target's address with the proxy's host and port in it. */
  readonly url: string;
  readonly port: number;
  /** Commands that clients sent, by lower-case name. What a script calls inside Redis does not pass here. */
  readonly counts: Readonly<Record<string, number>>;
  /** Sum of `counts`. */
  readonly total: number;
  /** Open client connections. */
  readonly connections: number;
  resetCounts(): void;
  /** Calls `listener` with each command that clients send from now on. */
  onCommand(listener: (command: RedisCommand) => void): void;
  /**
   * Once: passes the next matching command on, waits until Redis has executed it, and then breaks the client's connection
   * instead of handing the answer over. `NOSCRIPT` goes through and does not count: nothing was executed.
   * Resolves with the command when that has happened. A connection that has subscribed is left alone from then on.
   */
  cutAfterNextReply(match: CommandMatch): Promise<RedisCommand>;
  /** Once: breaks the connection of the next matching command before Redis sees it. Resolves when that has happened. */
  cutBefore(match: CommandMatch): Promise<RedisCommand>;
  /** Nothing passes any more in either direction; connections stay open, new ones are taken and stay silent. */
  stall(): void;
  /** Ends a stall; what was held back goes on in order. */
  resume(): void;
  /** As if Redis were far away: whatever passes from now on takes `ms` longer, in each direction. */
  delay(ms: number): void;
  /** Breaks every connection. New ones work. */
  dropAll(): void;
  /** `true`: breaks every connection and refuses new ones. `false`: listens again on the same port. */
  refuse(on: boolean): Promise<void>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Rule {
  matches(command: RedisCommand): boolean;
  fire(command: RedisCommand): void;
}

/** What the connections of one proxy share. */
interface Shared {
  counts: Record<string, number>;
  listeners: ((command: RedisCommand) => void)[];
  before: Rule[];
  after: Rule[];
  stalled: boolean;
  delayMs: number;
}

/** Starts a proxy to `target` (`redis://…`, no TLS) on a port of its own. */
export async function startRedisProxy(target: string): Promise<RedisProxy> {
  const to = new URL(target);
  if (to.protocol !== 'redis:') throw new Error(`the proxy speaks plain redis:, not ${to.protocol}`);
  const upstream = { host: to.hostname, port: Number(to.port || 6379) };
  const shared: Shared = { counts: {}, listeners: [], before: [], after: [], stalled: false, delayMs: 0 };
  const links = new Set<Link>();

  const server = createServer((client) => {
    const link = new Link(client, connect(upstream), shared);
    links.add(link);
    client.once('close', () => links.delete(link));
  });
  const port = await listen(server, 0);
  const dropAll = (): void => {
    for (const link of links) link.break();
  };
  const close = async (): Promise<void> => {
    dropAll();
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    await closed;
  };
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return {
    url: url.href,
    port,
    get counts() {
      return shared.counts;
    },
    get total() {
      return Object.values(shared.counts).reduce((sum, n) => sum + n, 0);
    },
    get connections() {
      return links.size;
    },
    resetCounts: () => {
      shared.counts = {};
    },
    onCommand: (listener) => void shared.listeners.push(listener),
    cutAfterNextReply: (match) => arm(shared.after, match),
    cutBefore: (match) => arm(shared.before, match),
    stall: () => {
      shared.stalled = true;
    },
    resume: () => {
      shared.stalled = false;
      for (const link of links) link.flush();
    },
    delay: (ms) => {
      shared.delayMs = ms;
    },
    dropAll,
    refuse: async (on) => {
      if (on) await close();
      else if (!server.listening) await listen(server, port);
    },
    stop: close,
    [Symbol.asyncDispose]: close,
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function arm(rules: Rule[], match: CommandMatch): Promise<RedisCommand> {
  return new Promise((resolve) => {
    const wanted = typeof match === 'string' ? match.toLowerCase() : undefined;
    rules.push({
      matches: (command) => (typeof match === 'string' ? command.name === wanted : match(command)),
      fire: resolve,
    });
  });
}

/** Takes the first rule that wants this command out of the list: a rule works once. */
function take(rules: Rule[], command: RedisCommand): Rule | undefined {
  const index = rules.findIndex((rule) => rule.matches(command));
  return index === -1 ? undefined : rules.splice(index, 1)[0];
}

const PUSH = '>'.charCodeAt(0);

/** One client connection and its connection to Redis. Answers come in the order of the commands; pushed messages are no answers. */
class Link {
  readonly #client: Socket;
  readonly #redis: Socket;
  readonly #shared: Shared;
  readonly #requests = new RespSplitter();
  readonly #replies = new RespSplitter();
  /** Commands whose answer is still to come, each with the rule that waits for it. */
  readonly #open: { command: RedisCommand; rule: Rule | undefined }[] = [];
  /** Held back by a stall. */
  readonly #held: (() => void)[] = [];
  /** A subscriber gets messages that answer nothing; from then on its bytes are passed on unread. */
  #subscribed = false;

  constructor(client: Socket, redis: Socket, shared: Shared) {
    this.#client = client;
    this.#redis = redis;
    this.#shared = shared;
    client.setNoDelay(true);
    redis.setNoDelay(true);
    client.on('data', (chunk: Buffer) => this.#pass(() => this.#fromClient(chunk)));
    redis.on('data', (chunk: Buffer) => this.#pass(() => this.#fromRedis(chunk)));
    for (const socket of [client, redis]) {
      socket.on('error', () => this.break());
      socket.on('close', () => this.break());
    }
  }

  break(): void {
    this.#client.destroy();
    this.#redis.destroy();
  }

  flush(): void {
    for (const step of this.#held.splice(0)) step();
  }

  #pass(step: () => void): void {
    const { stalled, delayMs } = this.#shared;
    if (delayMs > 0) setTimeout(step, delayMs).unref();
    else if (stalled) this.#held.push(step);
    else step();
  }

  #fromClient(chunk: Buffer): void {
    const out: Buffer[] = [];
    for (const bytes of this.#requests.push(chunk)) {
      const command = new RedisCommand(bytes);
      const { counts } = this.#shared;
      counts[command.name] = (counts[command.name] ?? 0) + 1;
      for (const listener of this.#shared.listeners) listener(command);
      const cut = take(this.#shared.before, command);
      if (cut !== undefined) {
        this.break();
        cut.fire(command);
        return;
      }
      if (/^[ps]?subscribe$/.test(command.name)) this.#subscribed = true;
      if (!this.#subscribed) this.#open.push({ command, rule: take(this.#shared.after, command) });
      out.push(bytes);
    }
    if (out.length > 0) this.#redis.write(Buffer.concat(out));
  }

  #fromRedis(chunk: Buffer): void {
    if (this.#subscribed) {
      this.#client.write(chunk);
      return;
    }
    const out: Buffer[] = [];
    for (const bytes of this.#replies.push(chunk)) {
      const asked = bytes[0] === PUSH ? undefined : this.#open.shift();
      if (asked?.rule !== undefined) {
        if (bytes.toString('latin1', 0, 9) !== '-NOSCRIPT') {
          this.#client.write(Buffer.concat(out));
          this.break();
          asked.rule.fire(asked.command);
          return;
        }
        this.#shared.after.unshift(asked.rule);
      }
      out.push(bytes);
    }
    if (out.length > 0) this.#client.write(Buffer.concat(out));
  }
}
