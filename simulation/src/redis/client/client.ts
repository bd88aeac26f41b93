import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { isRefusedForNow } from '@grsai-jobs/redis';
import { toText } from '../bytes.ts';
import type { Listener } from '../channels.ts';
import { ReplyError } from '../errors.ts';
import type { SimulatedRedis } from '../server.ts';
import { flatArguments } from './arguments.ts';
import { CommandMethods } from './commands.ts';
import { SimulatedPipeline } from './pipeline.ts';
import { shaped } from './replies.ts';
import { type After, type Answer, type Travel, Trip, type Unsent } from './trip.ts';
import { PERFECT_WIRE, type SentCommand, type Wire } from './wire.ts';

export interface ClientOptions {
  /** What it is called where somebody looks at round trips. */
  readonly name?: string;
  /**
   * As connections of the service: a `producer` hears at once that Redis is away, a `consumer` waits and sends again what was not
   * answered.
   */
  readonly role?: 'producer' | 'consumer';
  readonly wire?: Wire;
  /** Needed by commands that block. */
  readonly after?: After;
}

const REFUSED_AGAIN_MS = 250;
const CLOSED = 'Connection is closed.';
const NOT_WRITEABLE = "Stream isn't writeable and enableOfflineQueue options is false";

/**
 * A connection to a {@link SimulatedRedis} with the part of ioredis that the service uses. Each round trip goes over its wire.
 */
export class SimulatedClient extends CommandMethods {
  readonly name: string;
  readonly role: 'producer' | 'consumer';
  /** As ioredis has it: `ready`, `reconnecting` or `end`. */
  status: 'ready' | 'reconnecting' | 'end' = 'ready';
  readonly #redis: SimulatedRedis;
  readonly #options: ClientOptions;
  readonly #wire: Wire;
  readonly #travel: Travel;
  readonly #events = new EventEmitter();
  readonly #channels = new Set<string>();
  readonly #trips = new Set<Trip>();
  #unsent: Unsent[] = [];

  constructor(redis: SimulatedRedis, o: ClientOptions = {}) {
    super();
    this.#redis = redis;
    this.#options = o;
    this.name = o.name ?? 'client';
    this.role = o.role ?? 'producer';
    this.#wire = o.wire ?? PERFECT_WIRE;
    this.#travel = { client: this, redis, after: o.after, waiting: this.#waiting() };
  }

  /** Another connection of the same kind. */
  duplicate(o: ClientOptions = {}): SimulatedClient {
    return new SimulatedClient(this.#redis, { ...this.#options, ...o });
  }

  on(event: string, listener: (...args: never[]) => void): this {
    this.#events.on(event, listener as (...args: unknown[]) => void);
    return this;
  }

  once(event: string, listener: (...args: never[]) => void): this {
    this.#events.once(event, listener as (...args: unknown[]) => void);
    return this;
  }

  off(event: string, listener: (...args: never[]) => void): this {
    this.#events.off(event, listener as (...args: unknown[]) => void);
    return this;
  }

  /** The connection breaks. It stays away until {@link connect}. */
  cut(): void {
    if (this.status !== 'ready') return;
    this.status = 'reconnecting';
    this.#leave();
    this.#events.emit('close');
  }

  /** The connection is there again: subscriptions are renewed, and a consumer sends what was not answered. */
  connect(): void {
    if (this.status !== 'reconnecting') return;
    this.status = 'ready';
    for (const channel of this.#channels) this.#redis.channels.subscribe(channel, this.#hear);
    this.#events.emit('ready');
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const each of unsent) this.#send(each);
  }

  disconnect(reconnect = false): void {
    if (reconnect) {
      this.cut();
      this.connect();
      return;
    }
    if (this.status === 'end') return;
    this.status = 'end';
    this.#leave();
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const { reject } of unsent) reject(new Error(CLOSED));
    this.#events.emit('close');
    this.#events.emit('end');
  }

  async quit(): Promise<'OK'> {
    this.disconnect();
    return 'OK';
  }

  #leave(): void {
    for (const channel of this.#channels) this.#redis.channels.unsubscribe(channel, this.#hear);
    for (const trip of [...this.#trips]) trip.break();
  }

  pipeline(): SimulatedPipeline {
    return new SimulatedPipeline((commands) => this.#roundTrip(commands, false));
  }

  multi(): SimulatedPipeline {
    return new SimulatedPipeline(async (commands) => {
      const [first, ...answers] = await this.#roundTrip(commands, true);
      if (first instanceof ReplyError) throw first;
      return answers;
    });
  }

  async subscribe(...channels: string[]): Promise<number> {
    if (this.status === 'end') throw new Error(CLOSED);
    for (const channel of flatArguments(channels)) {
      this.#channels.add(channel);
      if (this.status === 'ready') this.#redis.channels.subscribe(channel, this.#hear);
    }
    return this.#channels.size;
  }

  async unsubscribe(...channels: string[]): Promise<number> {
    for (const channel of channels.length === 0 ? [...this.#channels] : flatArguments(channels)) {
      this.#channels.delete(channel);
      this.#redis.channels.unsubscribe(channel, this.#hear);
    }
    return this.#channels.size;
  }

  readonly #hear: Listener = (channel, message) => {
    const push = { client: this, channel: toText(channel), message: toText(message) };
    const arrive = () => {
      if (this.status === 'ready') this.#events.emit('message', push.channel, push.message);
    };
    this.#wire.push({ ...push, arrive });
  };

  /** Makes a method of a script, which is sent by its digest first. */
  defineCommand(name: string, { numberOfKeys, lua }: { numberOfKeys: number; lua: string }): void {
    const run = async (...args: unknown[]) => {
      const call = [numberOfKeys, ...flatArguments(args)];
      const sha = this.#redis.digestOf(lua);
      try {
        return await this.send('evalsha', [sha, ...call]);
      } catch (error) {
        if (!(error instanceof ReplyError) || !error.message.startsWith('NOSCRIPT')) throw error;
        return await this.send('eval', [lua, ...call]);
      }
    };
    Object.defineProperty(this, name, { value: run, configurable: true });
  }

  /** Sends a command that was made elsewhere, and answers what it answers. */
  sendCommand(command: { readonly name: string; readonly args: readonly unknown[] }): Promise<unknown> {
    return this.send(command.name, command.args);
  }

  call(name: string, ...args: unknown[]): Promise<unknown> {
    return this.send(name, args);
  }

  scanStream({ match, count }: { match?: string; count?: number } = {}): Readable {
    return Readable.from(this.#pages(match ?? '*', count ?? 10));
  }

  async *#pages(match: string, count: number): AsyncIterable<string[]> {
    let cursor = '0';
    do {
      const [next, keys] = (await this.send('scan', [cursor, 'MATCH', match, 'COUNT', count])) as [string, string[]];
      yield keys;
      cursor = next;
    } while (cursor !== '0');
  }

  protected override async send(name: string, args: readonly unknown[]): Promise<never> {
    const [answer = null] = await this.#roundTrip([{ name, args: flatArguments(args) }], false);
    if (answer instanceof ReplyError) throw answer;
    return shaped(name, answer) as never;
  }

  #roundTrip(commands: readonly SentCommand[], atomic: boolean): Promise<readonly Answer[]> {
    return new Promise((resolve, reject) => this.#send({ commands, atomic, attempt: 1, resolve, reject }));
  }

  #send(unsent: Unsent): void {
    if (this.status === 'end') unsent.reject(new Error(CLOSED));
    else if (this.status === 'ready') this.#begin(unsent);
    else if (this.role === 'consumer') this.#unsent.push(unsent);
    else unsent.reject(new Error(NOT_WRITEABLE));
  }

  /** As a connection of the service: a script of one that waits is sent again when Redis has refused to begin it for now. */
  #mayComeAgain({ commands, atomic }: Unsent, answers: readonly Answer[]): boolean {
    const [command, ...others] = commands;
    if (this.role !== 'consumer' || atomic || command === undefined || others.length > 0) return false;
    return /^eval(sha)?$/i.test(command.name) && isRefusedForNow(answers[0]) && this.#options.after !== undefined;
  }

  #sendLater(unsent: Unsent): void {
    this.#events.emit('refused', unsent);
    this.#options.after?.(REFUSED_AGAIN_MS, () => this.#send(unsent));
  }

  #begin(unsent: Unsent): void {
    const trip = new Trip(this.#travel, unsent);
    this.#trips.add(trip);
    this.#wire.roundTrip(trip);
  }

  #waiting(): Travel['waiting'] {
    return {
      settle: (trip, answers) => {
        this.#trips.delete(trip);
        if (this.#mayComeAgain(trip.sent, answers)) this.#sendLater(trip.sent);
        else trip.sent.resolve(answers);
      },
      broken: (trip) => {
        this.#trips.delete(trip);
        const { sent } = trip;
        if (this.role === 'consumer' && this.status !== 'end') this.#unsent.push({ ...sent, attempt: sent.attempt + 1 });
        else sent.reject(new Error(CLOSED));
      },
      failed: (trip, error) => {
        this.#trips.delete(trip);
        trip.sent.reject(error);
      },
    };
  }
}
