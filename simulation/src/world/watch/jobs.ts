import { readCost, type SeenCost } from './costs.ts';
import { isHidden } from './lines.ts';
import type { Peek } from './peek.ts';
import { Standing } from './standing.ts';
import { STATES } from './states.ts';

/** A job as it was when it was last looked at. */
export interface SeenJob {
  readonly state: string;
  readonly run: number;
  readonly step: number;
  readonly ver: number;
  readonly lease: string | null;
  /** The end of its lease, and which process took it. */
  readonly leaseEnds: number;
  readonly leaseBy: string;
  readonly tenant: string;
  /** The queue of its paid call, and its turn there; 0: it waits in the room of its tenant. */
  readonly queue: string;
  readonly turn: number;
  readonly batch: string | null;
  readonly use: number;
  readonly stored: number;
  /** Its image task, as it is on record. */
  readonly task: string | null;
  /** It failed without anybody knowing whether its submit made a task. */
  readonly unknown: boolean;
  /** It has a permit, or has had one that nobody has taken from it. */
  readonly hasPermit: boolean;
  readonly cost: SeenCost;
}

/** What a job and the sets and sums of all jobs have to say of each other. */
export interface JobsSay {
  /** How many calls and tasks may be in flight when another call begins. */
  readonly maxInFlight: number;
  /** Of which something is wrong. */
  readonly broken: (what: string, id: string) => void;
  /** The job of an order begins another run, in this state. */
  readonly reopened: (order: string, was: SeenJob, state: string) => void;
  /** A job has come, gone, or become another. */
  readonly changed: (before: SeenJob | null, after: SeenJob | null) => void;
  /** The record of a job says now that its calls have cost this. */
  readonly costs: (id: string, before: SeenJob | null, after: SeenJob | null) => void;
  /** A job has been accepted. */
  readonly accepted: (id: string, job: SeenJob, said: (what: string) => void) => void;
  /** A call begins. */
  readonly begins: (job: SeenJob, said: (what: string) => void) => void;
}

function read(fields: ReadonlyMap<string, string>, before: SeenJob | null, by: string, hasPermit: boolean): SeenJob {
  const stage = fields.get('sg') ?? '';
  const status = fields.get('st') ?? '';
  const number = (name: string, otherwise = 0) => Number(fields.get(name) ?? otherwise);
  const lease = fields.get('sb') ?? null;
  return {
    state: stage === '' ? status : `${status}/${stage}`,
    run: number('run', 1),
    step: number('step', 1),
    ver: number('ver', 1),
    lease,
    leaseEnds: number('su'),
    leaseBy: lease !== null && lease === before?.lease ? before.leaseBy : by,
    tenant: fields.get('tenant') ?? '',
    queue: fields.get('q') ?? '',
    turn: number('tn'),
    batch: fields.get('batch') || null,
    use: number('use'),
    stored: number('obj'),
    task: fields.get('task') ?? null,
    unknown: status === 'failed' && (fields.get('err') ?? '').includes('"code":"submit_unknown"'),
    hasPermit,
    cost: readCost(fields, before?.cost),
  };
}

const isReopened = (before: SeenJob, job: SeenJob): boolean =>
  STATES[before.state]?.end !== undefined && STATES[job.state]?.end === undefined;

/** Run, step and version go with the state, one at a time. */
function checkNumbers(before: SeenJob, job: SeenJob, said: (what: string) => void): void {
  const run = before.run + (isReopened(before, job) ? 1 : 0);
  if (job.run !== run) said(`run ${before.run} becomes ${job.run}`);
  const entryMoves = STATES[before.state]?.entry !== STATES[job.state]?.entry;
  if (job.step !== before.step + 1 && (entryMoves || job.step !== before.step)) said(`step ${before.step} becomes ${job.step}`);
  const isSame = job.state === before.state && job.step === before.step && job.lease === before.lease;
  if (!isSame && job.ver <= before.ver) said(`version ${before.ver} becomes ${job.ver}`);
}

/**
 * Each job, after each command that has changed its record.
 */
export class JobsWatch {
  readonly seen = new Map<string, SeenJob>();
  readonly #peek: Peek;
  readonly #now: () => number;
  readonly #say: JobsSay;
  readonly #standing: Standing;

  constructor(peek: Peek, now: () => number, say: JobsSay) {
    this.#peek = peek;
    this.#now = now;
    this.#say = say;
    this.#standing = new Standing(peek, now, say.broken);
  }

  /** @param by the process whose command it was. */
  look(id: string, by: string): void {
    const before = this.seen.get(id) ?? null;
    const fields = this.#peek.fields(`job:${id}`);
    if (fields.size === 0) {
      if (before !== null) this.#gone(id, before);
      return;
    }
    const job = read(fields, before, by, this.#standing.hasPermit(id));
    this.seen.set(id, job);
    this.#say.changed(before, job);
    this.#say.costs(id, before, job);
    this.#moved(id, before, job, by);
    this.#standing.check(id, job);
  }

  /** Takes a job as it stands, however it came to that. */
  adopt(id: string): void {
    const job = read(this.#peek.fields(`job:${id}`), null, '', this.#standing.hasPermit(id));
    this.seen.set(id, job);
    this.#say.changed(null, job);
    this.#standing.check(id, job);
  }

  #gone(id: string, before: SeenJob): void {
    this.seen.delete(id);
    this.#say.changed(before, null);
    this.#say.costs(id, before, null);
    const isDiscarded = before.batch !== null && isHidden(this.#peek, before.batch);
    if (!isDiscarded && STATES[before.state]?.end === undefined)
      this.#say.broken(`its record is gone while it is ${before.state}`, id);
  }

  #moved(id: string, before: SeenJob | null, job: SeenJob, by: string): void {
    const { broken } = this.#say;
    const now = STATES[job.state];
    if (now === undefined) broken(`is in no state: ${job.state}`, id);
    else if (before === null) {
      if (job.state !== 'queued') broken(`begins as ${job.state}`, id);
      else if (job.batch === null) this.#say.accepted(id, job, (what) => broken(what, id));
    } else {
      const said = (what: string) => broken(`${what}, ${before.state} → ${job.state}`, id);
      if (job.state !== before.state && !STATES[before.state]?.to.includes(job.state)) said('goes where nothing leads');
      if (isReopened(before, job)) this.#say.reopened(this.orderOf(id), before, job.state);
      if (before.state === 'queued' && now.call) this.#begins(before, job, said);
      if (now.call && job.lease !== before.lease) {
        this.#say.begins(job, said);
        this.#checkTime(id, said);
      }
      checkNumbers(before, job, said);
      this.#called(id, before, job, by, said);
    }
  }

  /** Which order a job was made for: it stands in its metadata. */
  orderOf(id: string): string {
    return /\[((?:order|batch)-[\d-]+)\]/.exec(this.#peek.text(`job:${id}:doc`) ?? '')?.[1] ?? '';
  }

  /** A call that a failover has forgotten began when its lease did. */
  #checkTime(id: string, said: (what: string) => void): void {
    const fields = this.#peek.fields(`job:${id}`);
    const [began, ends] = [Number(fields.get('sa')), Number(fields.get('exp'))];
    if (began >= ends) said(`begins a call ${began - ends} ms after its time`);
  }

  #begins(before: SeenJob, { tenant, batch, run }: SeenJob, said: (what: string) => void): void {
    if (batch !== null && run === 1 && this.#peek.fields(`batch:${batch}`).get('st') === 'canceling')
      said('begins while its batch is being canceled');
    const count = this.#standing.inFlight();
    if (count > this.#say.maxInFlight) said(`is one of ${count} in flight, and ${this.#say.maxInFlight} are allowed`);
    const most = Number(this.#peek.fields('inflight:#tenants').get(tenant) ?? 0);
    // Whoever has a permit already may begin, however many others have one.
    if (most === 0 || before.hasPermit) return;
    const own = this.#standing.inFlightOf('call', tenant) + this.#standing.inFlightOf('submit', tenant);
    if (own > most) said(`is one of ${own} in flight of ${tenant}, and ${most} are allowed`);
  }

  /** P2: a call in flight is ended by whoever makes it, until its lease is over. */
  #called(id: string, before: SeenJob, job: SeenJob, by: string, said: (what: string) => void): void {
    const isLeased = STATES[before.state]?.call === true && before.leaseEnds > this.#now();
    // Nobody waits for what a call of a canceled job still brings.
    if (!isLeased || before.leaseBy === '' || before.leaseBy === by || before.state === 'canceling/submitting') return;
    const goesOn = STATES[job.state]?.call === true;
    if ((goesOn && job.lease === before.lease) || this.#mayBeRepeated(id)) return;
    said(`the call of ${before.leaseBy} is in flight, and ${by} ${goesOn ? 'makes another' : 'ends it'}`);
  }

  /** A chat leaves nothing upstream: nobody waits for what it may still bring. */
  #mayBeRepeated(id: string): boolean {
    const doc = this.#peek.text(`job:${id}:doc`) ?? '';
    return doc.includes('"type":"chat"') && doc.includes('"on_unknown_submit":"resubmit"');
  }
}
