import { AskError } from './ask-error.ts';
import type { Bus, RequestEntry } from './bus.ts';
import { type Clock, VirtualClock } from './clock.ts';
import type { ScriptEntry } from './fault-plan.ts';
import type { Ledger } from './ledger.ts';
import { createRouter } from './router.ts';
import type { Steering } from './routes/admin.ts';
import { type Listening, Node } from './server.ts';
import { checkSettings, type Settings } from './settings.ts';
import type { Outcome } from './tasks.ts';
import type { World } from './world.ts';

/** A running stand-in for the service: what it saw, what it took, and how to make it misbehave. */
export class Emulator implements Steering {
  readonly #world: World;
  readonly #closing: AbortController;
  /** One or two; `stop()` closes a node's port (connections are refused, tasks live on), `start()` opens the same port again. */
  readonly nodes: readonly Node[];
  readonly ledger: Ledger;
  /** Subscribes to `request`, `submit`, `answer`, `end`, `webhook`, as a Node event emitter does. */
  readonly on: Bus['on'];

  /** `closing` is fired by `close()`. */
  constructor(world: World, closing: AbortController, nodes: number, listening: Listening) {
    this.#world = world;
    this.#closing = closing;
    this.ledger = world.ledger;
    this.on = world.bus.on.bind(world.bus);
    const router = createRouter(this);
    this.nodes = Array.from({ length: nodes }, (_, i) => new Node(i, listening, world, router));
  }

  /** Address of the first node, as `http://127.0.0.1:4100`. */
  get url(): string {
    return this.nodes[0]?.url ?? '';
  }

  get seed(): string {
    return this.#world.seed;
  }

  get clock(): Clock {
    return this.#world.clock;
  }

  /** The newest requests to the service itself, oldest first. */
  get requests(): readonly RequestEntry[] {
    return this.#world.log.entries;
  }

  /** As they are now; change them with `configure`. */
  get settings(): Readonly<Settings> {
    return this.#world.settings;
  }

  /** Entries of the script that no request has used up. */
  get pendingScript(): readonly ScriptEntry[] {
    return this.#world.plan.pending;
  }

  /** Changes settings from now on. Throws on an unknown name or a value that does not fit, and then changes nothing. */
  configure(patch: Partial<Settings>): void {
    Object.assign(this.#world.settings, checkSettings(patch));
  }

  setCredits(credits: number): void {
    if (!(credits >= 0)) throw new AskError('credits must be a number of at least 0');
    this.#world.ledger.setBalance(credits);
  }

  /** Strikes the next requests that fit. Throws on a fault that does not exist. */
  script(...entries: readonly ScriptEntry[]): void {
    this.#world.plan.script(...entries);
  }

  /** Ends a running task now, by default as succeeded. False when there is no such task or it has ended. */
  endTask(id: string, outcome: Outcome = 'succeeded', error = 'generate failed'): boolean {
    return this.#world.tasks.end(id, outcome, outcome === 'succeeded' ? '' : error);
  }

  /** How many answers are held by this name (directive `hold-ack`). */
  held(name: string): number {
    return this.#world.gates.held(name);
  }

  /** Lets the answers go that this name holds, and says how many they were. */
  release(name: string): number {
    return this.#world.gates.release(name);
  }

  /** Downloads of one result file, broken ones too, by its name. */
  downloadsOf(name: string): number {
    return this.#world.files.downloadsOf(name);
  }

  /** Forgets tasks, files, books, script and log, and fills the balance up. Settings and time stay. */
  reset(): void {
    const { plan, tasks, files, ledger, limiter, log } = this.#world;
    for (const part of [plan, tasks, files, ledger, limiter, log]) part.reset();
  }

  now(): number {
    return this.#world.clock.now();
  }

  /** Moves a virtual clock. Throws when the clock is a real one. */
  async advance(ms: number): Promise<void> {
    const { clock } = this.#world;
    if (!(clock instanceof VirtualClock)) throw new AskError('only a virtual clock can be advanced');
    if (!(ms >= 0)) throw new AskError('ms must be a number of at least 0');
    await clock.advance(ms);
  }

  /**
   * Asks at once, after every event and every 20 ms until the answer is truthy, and resolves with it.
   * Rejects after `timeoutMs` of real time (by default 10 s).
   */
  waitFor<T>(ask: () => T | undefined | null | false | 0, timeoutMs?: number): Promise<T> {
    return this.#world.bus.waitFor(ask, timeoutMs);
  }

  /** Opens all ports. */
  async start(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.start()));
  }

  /** Closes all ports and cuts all connections. May be called twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
