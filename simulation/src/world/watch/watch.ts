import type { SimulatedRedis } from '../../redis/server.ts';
import { CostsWatch, type SeenCost } from './costs.ts';
import { JobsWatch } from './jobs.ts';
import { LimitsWatch } from './limits.ts';
import { checkOperation } from './operations.ts';
import { Peek } from './peek.ts';
import { Erased, SumsWatch } from './sums.ts';
import { WebhooksWatch } from './webhooks.ts';

/** The job whose record has this name, if it is one. */
const jobIn = (name: string): string | null =>
  name.startsWith('job:') && !name.includes(':', 'job:'.length) ? name.slice('job:'.length) : null;

/** Names of sets, and which state of a job says that its id stands there. */
const OF_JOBS = ['due', 'ended', 'failed', 'storing', 'inflight'];

/** Sets of what somebody is to look at, by when, and within which time somebody looks, in ms. */
const OF_WHAT_IS_DUE = { due: 20_000, 'due:deliveries': 20_000, rooms: 1000, operations: 1000, late: 30_000 };

/** Who is told of what is seen. */
export interface Told {
  /** A promise does not hold, and of what: an id. */
  readonly broken: (what: string, about: string) => void;
  /** The job of an order begins another run, in this state. */
  readonly reopened: (order: string, was: { unknown: boolean; task: string | null }, state: string) => void;
  /** What the record of an order says that its calls have cost has become this. */
  readonly costs: (order: string, cost: SeenCost) => void;
}

/**
 * Holds what stands in Redis against itself after every command of every process: the job, delivery, batch or operation that it has
 * touched, and the sums that these are part of. {@link Watch.checkAll} looks at everything.
 */
export class Watch {
  readonly #peek: Peek;
  readonly #now: () => number;
  readonly #maxInFlight: number;
  readonly #broken: Told['broken'];
  readonly #reopened: Told['reopened'];
  readonly #toldOfCosts: Told['costs'];
  readonly #erased = new Erased();
  readonly #costs: CostsWatch;
  readonly #limits: LimitsWatch;
  /** Something of it was touched since it was looked at as a whole. */
  #isNew = false;
  #sums: SumsWatch;
  #jobs: JobsWatch;
  #webhooks: WebhooksWatch;

  constructor(redis: SimulatedRedis, o: { prefix: string; maxInFlight: number }, told: Told) {
    this.#broken = told.broken;
    this.#reopened = told.reopened;
    this.#toldOfCosts = told.costs;
    this.#maxInFlight = o.maxInFlight;
    this.#now = () => redis.now();
    this.#peek = new Peek(redis.store, o.prefix);
    this.#costs = new CostsWatch(this.#peek, this.#broken);
    this.#limits = new LimitsWatch(this.#peek, this.#now);
    [this.#sums, this.#jobs, this.#webhooks] = this.#anew();
    redis.onExecuted = (touched, by) => this.#executed(touched, by);
  }

  #anew(): [SumsWatch, JobsWatch, WebhooksWatch] {
    const broken = this.#broken;
    const reopened = this.#reopened;
    const sums = new SumsWatch(this.#peek, broken, this.#erased, (id, tenant) =>
      this.#limits.committed(tenant, sums.queuedOf(tenant), (what) => broken(what, id)),
    );
    const jobs = new JobsWatch(this.#peek, this.#now, {
      ...{ broken, reopened, maxInFlight: this.#maxInFlight },
      changed: sums.changed.bind(sums),
      costs: (id, before, after) => {
        this.#costs.changed(id, before, after);
        if (after !== null && before?.cost !== after.cost) this.#toldOfCosts(jobs.orderOf(id), after.cost);
      },
      accepted: (id, { tenant }, said) => this.#limits.accepted(id, tenant, sums.queuedOf(tenant), said),
      begins: ({ tenant, cost }, said) => {
        if (cost.price !== null) this.#costs.begun(tenant, cost.price, this.#now(), said);
      },
    });
    return [sums, jobs, new WebhooksWatch(this.#peek, this.#now, broken)];
  }

  #executed(touched: ReadonlySet<string>, client: string): void {
    const [by = ''] = client.split(' ', 1);
    let counts = false;
    for (const key of touched) {
      const name = this.#peek.nameOf(key);
      if (name === null) continue;
      const at = name.indexOf(':');
      counts = this.#looked(at === -1 ? name : name.slice(0, at), name.slice(at + 1), by) || counts;
    }
    if (!counts) return;
    this.#isNew = true;
    this.#sums.check();
    this.#sums.checkUses();
    this.#costs.check();
  }

  /** What stands under a key of this kind. Answers whether something is counted by it. */
  #looked(kind: string, id: string, by: string): boolean {
    switch (kind) {
      case 'turns':
      case 'usage':
        return true;
      case 'job':
        if (id.includes(':')) return false;
        this.#jobs.look(id, by);
        return true;
      case 'tenant':
        if (!id.includes(':')) this.#limits.changed(id);
        return false;
      case 'spent':
        if (id === 'spent') this.#costs.touchedTotals();
        else this.#costs.touchedDay(`spent:${id}`);
        return true;
      case 'batch':
        if (id.includes(':')) return false;
        this.#sums.touchedBatch(id);
        return true;
      case 'delivery':
        this.#webhooks.delivery(id);
        return false;
      case 'operation':
        checkOperation(this.#peek, id, this.#now(), this.#broken);
        return false;
      case 'endpoint':
        if (id.endsWith(':attempts')) this.#webhooks.attempts(id.slice(0, -':attempts'.length));
        else if (id.endsWith(':room')) this.#webhooks.room(id.slice(0, -':room'.length));
        return false;
      default:
        return false;
    }
  }

  /** Everything at once: what no command has touched for long, and whether the sums were kept right. */
  checkAll(): void {
    if (!this.#isNew) return;
    this.#isNew = false;
    const broken = this.#broken;
    const [sums, jobs, webhooks] = this.#anew();
    for (const name of this.#peek.names()) {
      const job = jobIn(name);
      if (job !== null) jobs.adopt(job);
      else if (name.startsWith('delivery:')) webhooks.delivery(name.slice('delivery:'.length));
      else if (name.startsWith('operation:')) checkOperation(this.#peek, name.slice('operation:'.length), this.#now(), broken);
    }
    sums.check();
    sums.checkUses();
    this.#costs.checkAll(jobs.seen.values());
    for (const set of OF_JOBS)
      for (const { member } of this.#peek.set(set)?.slice() ?? [])
        if (!jobs.seen.has(member)) broken(`stands in ${set}, and there is no such job`, member);
    for (const { member } of this.#peek.set('operations')?.slice() ?? []) checkOperation(this.#peek, member, this.#now(), broken);
    for (const { member } of this.#peek.set('pending:deliveries')?.slice() ?? []) webhooks.delivery(member);
  }

  /** Nothing is to have waited for longer than `graceMs` after somebody should have looked at it. */
  checkOverdue(graceMs: number): void {
    for (const [set, everyMs] of Object.entries(OF_WHAT_IS_DUE))
      for (const { member, score } of this.#peek.set(set)?.slice(0, 1) ?? []) {
        // A call in flight outlives the time of its job: what follows it was due before it was there.
        const since = Math.max(score, Number(this.#peek.fields(`job:${member}`).get('at') ?? 0));
        if (since < this.#now() - everyMs - graceMs)
          this.#broken(`stands in ${set} since ${this.#now() - since} ms, and nobody looks`, member);
      }
  }

  /** What stands in Redis now is a new beginning: it has forgotten something. */
  restart(): void {
    [this.#sums, this.#jobs, this.#webhooks] = this.#anew();
    for (const name of this.#peek.names()) {
      const job = jobIn(name);
      if (job !== null) this.#jobs.adopt(job);
    }
    this.#costs.restart(this.#jobs.seen.values());
    this.#limits.restart();
  }
}
