import { Counts } from './counts.ts';
import type { SeenJob } from './jobs.ts';
import { checkLines, isHidden } from './lines.ts';
import type { Peek } from './peek.ts';
import { STATES } from './states.ts';

/** How many jobs of a batch stand where. */
interface Lines {
  readonly counts: Counts;
  unknown: number;
}

/** Jobs that were erased after they had ended: their batches still count them. */
export class Erased {
  readonly #lines = new Map<string, Lines>();

  of(batch: string): Lines {
    let lines = this.#lines.get(batch);
    if (lines === undefined) {
      lines = { counts: new Counts(), unknown: 0 };
      this.#lines.set(batch, lines);
    }
    return lines;
  }
}

const BATCH_ENDS = ['completed', 'canceled', 'expired'];
const COUNTED = ['queued', 'running', 'succeeded', 'failed', 'canceled', 'expired'];

/**
 * What is counted of jobs: by batch, by tenant, and how many are queued. The sums are kept here from what each job has become, and
 * compared with those in Redis when either may have changed.
 */
export class SumsWatch {
  #uses = new Counts();
  #queued = 0;
  readonly #queuedOf = new Counts();
  readonly #batches = new Map<string, Lines>();
  readonly #batchStates = new Map<string, string>();
  readonly #touched = new Set<string>();
  /** Batches whose lines nobody sees: they do not count as queued. */
  readonly #hidden = new Set<string>();
  readonly #erased: Erased;
  readonly #peek: Peek;
  readonly #broken: (what: string, about: string) => void;
  readonly #committed: (batch: string, tenant: string) => void;

  /**
   * @param erased what is still counted of erased jobs.
   * @param committed a batch was.
   */
  constructor(
    peek: Peek,
    broken: (what: string, about: string) => void,
    erased: Erased,
    committed: (batch: string, tenant: string) => void,
  ) {
    this.#peek = peek;
    this.#broken = broken;
    this.#erased = erased;
    this.#committed = committed;
  }

  changed(before: SeenJob | null, after: SeenJob | null): void {
    if (before !== null) this.#count(before, -1);
    if (after !== null) this.#count(after, 1);
    else if (before?.batch) this.#keep(before, before.batch);
  }

  #keep(job: SeenJob, batch: string): void {
    const told = STATES[job.state];
    if (told?.end === undefined) return;
    const lines = this.#erased.of(batch);
    lines.counts.add(told.counted, 1);
    if (job.unknown) lines.unknown += 1;
  }

  #count(job: SeenJob, by: number): void {
    const told = STATES[job.state];
    if (job.state === 'queued') {
      this.#queued += by;
      this.#queuedOf.add(job.tenant, by);
    }
    this.#uses.add(`redis:${job.tenant}`, by * job.use);
    this.#uses.add('#redis', by * job.use);
    this.#uses.add(`stored:${job.tenant}`, by * job.stored);
    if (told?.end === undefined) this.#uses.add(`live:${job.tenant}`, by);
    if (job.batch === null || told === undefined) return;
    let lines = this.#batches.get(job.batch);
    if (lines === undefined) {
      lines = { counts: new Counts(), unknown: 0 };
      this.#batches.set(job.batch, lines);
    }
    lines.counts.add(told.counted, by);
    if (job.unknown) lines.unknown += by;
    this.#touched.add(job.batch);
  }

  queuedOf(tenant: string): number {
    return this.#queuedOf.get(tenant) - this.#hiddenOf(tenant);
  }

  /** Lines that nobody sees, of one tenant or of all. */
  #hiddenOf(tenant: string | null): number {
    let lines = 0;
    for (const id of this.#hidden)
      if (tenant === null || this.#peek.fields(`batch:${id}`).get('tenant') === tenant)
        lines += this.#batches.get(id)?.counts.get('queued') ?? 0;
    return lines;
  }

  touchedBatch(id: string): void {
    this.#touched.add(id);
  }

  /** After a command that has changed jobs, or what is counted of them. */
  check(): void {
    for (const id of this.#touched) this.#checkBatch(id);
    this.#touched.clear();
    const seen = this.#queued - this.#hiddenOf(null);
    const queued = Number(this.#peek.fields('turns').get('#queued') ?? 0);
    if (queued !== seen) this.#broken(`counts ${queued} queued jobs, and there are ${seen}`, 'turns');
  }

  checkUses(): void {
    const counted = this.#peek.fields('usage');
    for (const [field, n] of this.#uses.of)
      if (Number(counted.get(field) ?? 0) !== n)
        this.#broken(`counts ${counted.get(field)} of ${field}, and its records take ${n}`, 'usage');
    if (counted.size > this.#uses.of.size)
      for (const [field, n] of counted)
        if (this.#uses.get(field) === 0) this.#broken(`counts ${n} of ${field}, and its records take nothing`, 'usage');
  }

  #checkBatch(id: string): void {
    const batch = this.#peek.fields(`batch:${id}`);
    const before = this.#batchStates.get(id);
    const state = batch.get('st');
    if (isHidden(this.#peek, id)) this.#hidden.add(id);
    else this.#hidden.delete(id);
    checkLines(this.#peek, id, this.#broken);
    if (state === undefined) {
      this.#batchStates.delete(id);
      if (before !== undefined && !BATCH_ENDS.includes(before) && before !== 'discarding')
        this.#broken(`its record is gone while it is ${before}`, id);
      return;
    }
    this.#batchStates.set(id, state);
    // Nobody sees it, or its lines are being removed.
    if (state === 'validating' || state === 'discarding') return;
    const number = (field: string) => Number(batch.get(field) ?? 0);
    this.#checkLines(id, number);
    const live = number('n:queued') + number('n:running');
    const awaits = (kind: string, why: string) => {
      if (!this.#peek.has(`operation:${kind}:${id}`)) this.#broken(`${why}, and there is no ${kind}`, id);
    };
    if (BATCH_ENDS.includes(state) && live > 0) this.#broken(`is ${state} with ${live} live jobs`, id);
    if (!BATCH_ENDS.includes(state) && live === 0) awaits('batch-finish', 'has no live job');
    if (before === 'validating' && state === 'running') {
      awaits('batch-list', 'is committed');
      this.#committed(id, batch.get('tenant') ?? '');
    }
    if (before === 'running' && state === 'canceling') awaits('batch-cancel', 'is being canceled');
  }

  #checkLines(id: string, number: (field: string) => number): void {
    const lines = this.#batches.get(id);
    const erased = this.#erased.of(id);
    let sum = 0;
    for (const name of COUNTED) {
      const counted = number(`n:${name}`);
      const are = (lines?.counts.get(name) ?? 0) + erased.counts.get(name);
      sum += counted;
      if (counted !== are) this.#broken(`counts ${counted} ${name} jobs, and has ${are}`, id);
    }
    if (sum !== number('total')) this.#broken(`counts ${sum} jobs of ${number('total')}`, id);
    const unknown = (lines?.unknown ?? 0) + erased.unknown;
    if (number('unknown') !== unknown) this.#broken(`counts ${number('unknown')} unknown submits, and has ${unknown}`, id);
  }
}
