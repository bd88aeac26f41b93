import { wrongCost } from '@grsai-jobs/testkit/cost-rule';
import { WakeUps } from '../queue/wake-ups.ts';
import { createRandom, type Random } from '../random.ts';
import type { Moment } from '../redis/data/store.ts';
import type { Scripts } from '../redis/lua/scripts.ts';
import { SimulatedRedis } from '../redis/server.ts';
import { VirtualTime } from '../time/virtual-time.ts';
import type { SentBatch } from './callers.ts';
import { Internet } from './internet.ts';
import { Bucket } from './object-store.ts';
import type { Order } from './orders.ts';
import type { Plan } from './plan.ts';
import { PREFIX } from './prefix.ts';
import type { SimulatedProcess } from './process.ts';
import { SimulatedApi, SimulatedWorker, type Surroundings } from './service.ts';
import { type Charged, Upstream } from './upstream.ts';
import type { SeenCost } from './watch/costs.ts';
import { Watch } from './watch/watch.ts';
import type { Network } from './wire.ts';

/** A promise that was broken. */
export interface ViolationFound {
  readonly at: number;
  readonly what: string;
  /** The order, batch or process that it is about. */
  readonly about: string;
}

/** One thing that happened, for whoever reads the story. */
export interface StoryLine {
  readonly at: number;
  readonly who: string;
  readonly what: string;
  readonly with: Readonly<Record<string, unknown>>;
}

/** The first ms of a year. */
const START = Date.UTC(2031, 0, 1);

/** Events in a log that say that the code met what it does not expect. */
const UNEXPECTED: ReadonlySet<string> = new Set([
  'job.crashed',
  'maintain.failed',
  'maintain.item_failed',
  'webhook.not_built',
  'operation.failed',
]);

/** Workers that one picture may take with it in a run: five while it is stored, five while it is asked for late, and more where Redis is in trouble. */
const MOST_DEATHS = 30;

/** A task can be asked for two hours, and files of its result are there as long. */
const HAD_FOR_MS = 110 * 60_000;

/** Errors that faults of Redis cause. */
const CAUSED = /^(OOM|READONLY|LOADING|NOSCRIPT)|Connection is closed|isn't writeable|OOM command/;

export interface WorldOptions {
  /** Keeps every line of the story, at a cost. */
  readonly tells?: boolean;
  /** Those that worlds before it have compiled. */
  readonly scripts?: Scripts;
  /** What processes wait for before they believe in a write; left out: `memory`. */
  readonly durability?: 'memory' | 'replica';
  /** Promises that are held: all, or those whose violation reads so. */
  readonly holds?: RegExp;
}

/** Everything that lives and everything that it lives on. */
export class World {
  readonly plan: Plan;
  readonly random: Random;
  readonly time: VirtualTime;
  readonly #start: number;
  readonly redis: SimulatedRedis;
  readonly network: Network = { cutOff: new Set(), away: false, isInstant: false, connections: new Map(), lost: 0, repeated: 0 };
  readonly bucket: Bucket;
  readonly upstream: Upstream;
  readonly internet: Internet;
  readonly watch: Watch;
  readonly signal = new WakeUps({ now: () => this.time.now(), after: (ms, run) => this.time.after(ms, run) });
  workers: SimulatedWorker[] = [];
  apis: SimulatedApi[] = [];
  readonly orders = new Map<string, Order>();
  readonly batches: SentBatch[] = [];
  /** What somebody outside does meanwhile. */
  readonly acts = new Set<Promise<unknown>>();
  readonly violations: ViolationFound[] = [];
  readonly lines: StoryLine[] = [];
  readonly #surroundings: Surroundings;
  readonly #tells: boolean;
  readonly #holds: RegExp | undefined;
  /** What the records of orders say that their calls have cost. */
  readonly #costs = new Map<string, SeenCost>();
  /** Redis has lost something that it had answered. */
  hasForgotten = false;
  #born = 0;

  constructor(plan: Plan, o: WorldOptions = {}) {
    this.plan = plan;
    this.#start = START - (plan.midnightInMs ?? 0);
    this.time = new VirtualTime(this.#start);
    this.random = createRandom(plan.seed).fork('world');
    this.#tells = o.tells ?? false;
    this.#holds = o.holds;
    this.redis = new SimulatedRedis({ clock: this.time, ...(o.scripts === undefined ? {} : { scripts: o.scripts }) });
    this.watch = new Watch(
      this.redis,
      { prefix: PREFIX, maxInFlight: plan.maxInFlight },
      {
        broken: (what, about) => this.violation(what, about),
        reopened: (order, was, state) => this.#reopened(order, was, state),
        costs: (order, cost) => {
          this.#costs.set(order, cost);
          this.#checkCost(order);
        },
      },
    );
    this.bucket = new Bucket(this.time, this.random.fork('bucket'));
    this.upstream = new Upstream(this.time, this.random.fork('upstream'));
    this.upstream.oddities = plan.oddities;
    this.upstream.onDeath = (process, order) => this.#dies(process, order);
    this.upstream.onCharged = (charged) => this.#charged(charged);
    this.upstream.onChat = ({ order: name }) => {
      const order = this.orders.get(name);
      const paid = this.upstream.chatsByOrder.get(name) ?? 0;
      if (order?.request.on_unknown_submit === 'fail' && paid > 1 + order.begunAgain) this.violation(`paid ${paid} times`, name);
    };
    this.upstream.onTaken = (order) => this.#checkCost(order);
    this.internet = new Internet(this.time, this.random.fork('internet'), this.upstream);
    this.network.lost = plan.lost;
    this.network.repeated = plan.repeated;
    this.#surroundings = {
      ...{ time: this.time, random: this.random, redis: this.redis, network: this.network, signal: this.signal },
      ...{ bucket: this.bucket, upstream: this.upstream, internet: this.internet },
      ...{ maxInFlight: plan.maxInFlight, slots: plan.slots, durability: o.durability ?? 'memory' },
      logLevel: this.#tells ? 'debug' : 'error',
      log: ({ process, level, event, msg, fields }) => {
        if (this.#tells) this.story(process, event || msg, { level, ...fields });
        if (level === 'error' && UNEXPECTED.has(event)) this.#unexpected(process, event, fields);
      },
    };
  }

  /** Another worker starts; it takes part as soon as it is ready. */
  startWorker(): SimulatedWorker {
    this.#born += 1;
    const worker = new SimulatedWorker(`worker-${this.#born}`, this.#surroundings);
    this.workers.push(worker);
    this.story(worker.name, 'starts');
    // A process that cannot start ends, and whoever supervises it starts another.
    worker.start().catch((error: unknown) => {
      this.story(worker.name, 'does not start', { error: String(error) });
      worker.kill();
      this.workers = this.workers.filter((each) => each !== worker);
      this.time.after(1000, () => void this.startWorker());
    });
    return worker;
  }

  follow(act: Promise<unknown>): void {
    const done: Promise<unknown> = act.finally(() => this.acts.delete(done));
    this.acts.add(done);
  }

  startApi(): SimulatedApi {
    this.#born += 1;
    const api = new SimulatedApi(`api-${this.#born}`, this.#surroundings);
    this.apis.push(api);
    this.story(api.name, 'starts');
    return api;
  }

  story(who: string, what: string, more: Readonly<Record<string, unknown>> = {}): void {
    if (this.#tells) this.lines.push({ at: this.time.now() - this.#start, who, what, with: more });
  }

  violation(what: string, about: string): void {
    if (this.#holds?.test(what) === false) return;
    this.violations.push({ at: this.time.now() - this.#start, what, about });
    this.story(about, `VIOLATION: ${what}`);
  }

  /**
   * Another server takes the place of Redis, which has seen everything until this moment. Nobody can reach it at first. Answers how many changes
   * it lacks.
   */
  failover(to: Moment): number {
    const forgotten = this.redis.snapshot().changes - to.changes;
    this.network.away = true;
    this.redis.failover(to);
    this.watch.restart();
    this.hasForgotten = true;
    for (const breakOff of this.network.connections.values()) breakOff();
    return forgotten;
  }

  #unexpected(process: string, event: string, fields: Record<string, unknown>): void {
    const err = fields['err'] as { type?: string; message?: string; stack?: string } | undefined;
    // What is away, full or has forgotten a script is what faults are about.
    if (err?.type === 'ObjectStoreError' || CAUSED.test(err?.message ?? '')) return;
    this.violation(`${event}: ${err?.stack ?? JSON.stringify(fields)}`, process);
  }

  /** A picture has killed the worker that loads it. P1: it does not do so for ever. */
  #dies(process: SimulatedProcess, order: string): void {
    const deaths = this.upstream.deathsByOrder.get(order) ?? 0;
    this.story(process.name, 'dies of a picture', { order, deaths });
    if (deaths > MOST_DEATHS * (1 + (this.orders.get(order)?.runs ?? 0)))
      this.violation(`${deaths} workers have died of it`, order);
    process.kill();
    this.workers = this.workers.filter((each) => each !== process);
    this.time.after(1000, () => void this.startWorker());
  }

  /** P2: an ended job is submitted again only where nothing was paid for that could still be had, or its caller says so. */
  #reopened(name: string, was: { unknown: boolean; task: string | null }, state: string): void {
    const order = this.orders.get(name);
    if (order === undefined) return;
    order.runs += 1;
    if (state !== 'queued') return;
    order.begunAgain += 1;
    if (order.maySubmitAgain) return;
    if (was.unknown) this.violation('nobody knows whether its submit made a task, and it is submitted again', name);
    const task = this.upstream.tasks.get(was.task ?? '');
    const isThere = task?.links.some((link) => !this.upstream.broken.has(link)) === true;
    const canBeHad = isThere && task.outcome === 'succeeded' && this.time.now() < task.at + HAD_FOR_MS;
    if (canBeHad) this.violation(`its task ${task.id} can be had, and it is submitted again`, name);
  }

  /** P2, as it happens: what may still bring a result, and what was paid for, is never more than was asked for. */
  #charged({ order: name }: Charged): void {
    const order = this.orders.get(name);
    this.story('upstream', 'charges', { order: name });
    if (order === undefined || order.request.on_unknown_submit === 'resubmit') return;
    const paid = this.paidFor(name);
    if (paid > 1 + order.begunAgain) this.violation(`paid ${paid} times`, name);
  }

  /** What a record says is what upstream took, or nobody can know it: at each moment, of each job. What is deleted or forgotten says nothing. */
  #checkCost(name: string): void {
    const order = this.orders.get(name);
    const cost = this.#costs.get(name);
    if (order === undefined || cost === undefined || cost.price === null || this.hasForgotten) return;
    const { charged, refunded, open, unknown } = cost;
    const wrong = wrongCost({ charged, refunded, reserved: (open ?? 0) + unknown }, this.upstream.ledgerOf(name), {
      isChat: order.request.type === 'chat',
      mayBeUnknown: true,
    });
    if (wrong !== null) this.violation(wrong, name);
  }

  /** Tasks and synchronous images of an order that were not refunded. One that runs is not refunded yet. */
  paidFor(name: string): number {
    const now = this.time.now();
    const tasks = (this.upstream.tasksByOrder.get(name) ?? []).filter(
      ({ outcome, endsAt }) => outcome !== 'failed' || now < endsAt,
    );
    return tasks.length + (this.upstream.generationsByOrder.get(name) ?? 0);
  }
}
