import { Counts } from './counts.ts';
import type { Peek } from './peek.ts';

/** What a record says of what its calls have cost. */
export interface SeenCost {
  /** What a call of it sets aside; `null`: it has no price. */
  readonly price: number | null;
  /** Set aside for its open call, and on which day that began; `null`: there is none. */
  readonly open: number | null;
  readonly day: string;
  readonly charged: number;
  readonly refunded: number;
  readonly unknown: number;
  /** The model of the call and the API key, as the counters name them. */
  readonly row: string;
  readonly hasBegun: boolean;
}

const FREE: SeenCost = { price: null, open: null, day: '', charged: 0, refunded: 0, unknown: 0, row: '', hasBegun: false };

/** @param before what it said before, which is the answer as long as it says so. */
export function readCost(fields: ReadonlyMap<string, string>, before: SeenCost = FREE): SeenCost {
  const price = fields.get('px');
  if (price === undefined) return FREE;
  const number = (name: string) => Number(fields.get(name) ?? 0);
  const open = fields.get('rsv');
  const cost: SeenCost = {
    price: Number(price),
    open: open === undefined ? null : Number(open),
    day: fields.get('rd') ?? '',
    ...{ charged: number('chg'), refunded: number('rfd'), unknown: number('unk') },
    row: `${fields.get('mdl') ?? '?'} ${fields.get('ky') ?? '?'}`,
    hasBegun: fields.has('started'),
  };
  return isSame(cost, before) ? before : cost;
}

const isSame = (a: SeenCost, b: SeenCost): boolean =>
  a.price === b.price &&
  a.open === b.open &&
  a.day === b.day &&
  a.charged === b.charged &&
  a.refunded === b.refunded &&
  a.unknown === b.unknown &&
  a.row === b.row &&
  a.hasBegun === b.hasBegun;

/** Of whom a cost is. */
interface Payer {
  readonly tenant: string;
  readonly batch: string | null;
  readonly cost: SeenCost;
}

/** What counts for its budget. */
const spentOf = ({ charged, open, unknown }: SeenCost): number => charged + (open ?? 0) + unknown;

const DAY_MS = 24 * 3600_000;

function monthOf(day: string): number {
  const date = new Date(Number(day) * DAY_MS);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

function countsIn(of: Map<string, Counts>, name: string): Counts {
  const counts = of.get(name) ?? new Counts();
  of.set(name, counts);
  return counts;
}

/** Of each day the counters of a tenant that are held. Tokens stand in no record. */
const LETTERS = ['j', 'c', 'r', 'f'];
/** What a batch has of its jobs, by the letter of the same. */
const OF_BATCH = [
  ['chg', 'c'],
  ['rsv', 'r'],
  ['rfd', 'f'],
] as const;
const isHeld = (field: string): boolean => field === '#' || LETTERS.includes(field.slice(-1));

/**
 * What calls have cost, by job, batch, tenant, day, model and key. The sums are kept here from what each job has become, and compared with those
 * in Redis when either may have changed.
 */
export class CostsWatch {
  /** Of all days and months, under the names that they have in Redis; and of one day, by its key. */
  #totals = new Counts();
  #days = new Map<string, Counts>();
  #batches = new Map<string, Counts>();
  /** What is counted of tenants, and of batches, for records that are gone. */
  #gone = new Counts();
  readonly #touched = {
    ...{ tenants: new Set<string>(), days: new Set<string>(), batches: new Set<string>() },
    areTotals: false,
  };
  readonly #peek: Peek;
  readonly #broken: (what: string, about: string) => void;
  /** Something was forgotten: what was counted before cannot be told apart by its calls any more. */
  #forgets = false;

  constructor(peek: Peek, broken: (what: string, about: string) => void) {
    this.#peek = peek;
    this.#broken = broken;
  }

  /** After each command that has changed a record. */
  changed(id: string, before: Payer | null, after: Payer | null): void {
    const was = before?.cost ?? FREE;
    const is = after?.cost ?? FREE;
    const payer = after ?? before;
    if (payer === null || (after !== null && was === is)) return;
    if (after === null) {
      this.#gone.add(payer.tenant, spentOf(was));
      return;
    }
    this.#checkSettled(id, was, is);
    this.#add(payer, was.row, was.day, 'r', -(was.open ?? 0));
    this.#add(payer, is.row, is.day, 'r', is.open ?? 0);
    // What was open is settled by the model and on the day that it was opened with.
    this.#add(payer, was.row, was.day, 'r', is.unknown - was.unknown);
    this.#add(payer, was.row, was.day, 'c', is.charged - was.charged);
    this.#add(payer, was.row, was.day, 'f', is.refunded - was.refunded);
    if (is.hasBegun && !was.hasBegun && is.open !== null) this.#add(payer, is.row, is.day, 'j', 1);
  }

  #checkSettled(id: string, was: SeenCost, is: SeenCost): void {
    const changes = [is.charged - was.charged, is.refunded - was.refunded, is.unknown - was.unknown];
    if (changes.some((by) => by < 0)) this.#broken('what its calls have cost becomes less', id);
    const settled = changes.filter((by) => by > 0);
    if (settled.length === 0) return;
    if (was.open === null) this.#broken(`costs ${settled} more, and nothing was set aside`, id);
    else if (settled.length > 1) this.#broken('what was set aside is settled twice', id);
    else if (changes[0] === 0 && settled[0] !== was.open)
      this.#broken(`had set ${was.open} aside, and ${settled} are settled`, id);
  }

  #add({ tenant, batch }: Payer, row: string, day: string, letter: string, credits: number): void {
    if (credits === 0) return;
    this.#touched.tenants.add(tenant);
    const key = `spent:${tenant}:${day}`;
    this.#touched.days.add(key);
    const ofDay = this.#ofDay(key);
    ofDay.add(`${row} ${letter}`, credits);
    if (letter === 'c' || letter === 'r') {
      ofDay.add('#', credits);
      this.#totals.add(tenant, credits);
      this.#totals.add(`${tenant} ${monthOf(day)}`, credits);
    }
    if (batch === null || letter === 'j') return;
    this.#touched.batches.add(batch);
    this.#ofBatch(batch).add(letter, credits);
  }

  #ofDay(key: string): Counts {
    return countsIn(this.#days, key);
  }

  #ofBatch(id: string): Counts {
    return countsIn(this.#batches, id);
  }

  touchedDay(key: string): void {
    this.#touched.days.add(key);
  }

  touchedTotals(): void {
    this.#touched.areTotals = true;
  }

  /** After a command that has changed jobs, or what is counted of them. */
  check(): void {
    const { tenants, days, batches, areTotals } = this.#touched;
    if (tenants.size + days.size + batches.size === 0 && !areTotals) return;
    this.#touched.areTotals = false;
    // Somebody who has changed no record.
    if (areTotals && tenants.size === 0) for (const name of this.#totals.of.keys()) if (!name.includes(' ')) tenants.add(name);
    const spent = this.#peek.fields('spent');
    for (const tenant of tenants) {
      this.#checkTotal(spent, tenant);
      for (const key of days)
        if (key.startsWith(`spent:${tenant}:`))
          this.#checkTotal(spent, `${tenant} ${monthOf(key.slice(key.lastIndexOf(':') + 1))}`);
    }
    for (const key of days) this.#checkDay(key);
    for (const id of batches) this.#checkBatch(id);
    for (const set of [tenants, days, batches]) set.clear();
  }

  #checkTotal(spent: ReadonlyMap<string, string>, name: string): void {
    const counted = Number(spent.get(name) ?? 0);
    if (counted !== this.#totals.get(name))
      this.#broken(`has spent ${counted}, and its records say ${this.#totals.get(name)}`, name);
  }

  #checkDay(key: string): void {
    const counted = this.#peek.fields(key);
    const sums = this.#ofDay(key);
    for (const [field, sum] of sums.of)
      if (Number(counted.get(field) ?? 0) !== sum)
        this.#broken(`counts ${counted.get(field)} of ${field}, and there are ${sum}`, key);
    for (const [field, n] of counted)
      if (Number(n) !== 0 && sums.get(field) === 0 && isHeld(field))
        this.#broken(`counts ${n} of ${field}, and there are none`, key);
  }

  #checkBatch(id: string): void {
    const batch = this.#peek.fields(`batch:${id}`);
    if (batch.get('st') === undefined) return;
    const sums = this.#ofBatch(id);
    for (const [field, letter] of OF_BATCH)
      if (Number(batch.get(field) ?? 0) !== sums.get(letter))
        this.#broken(`counts ${batch.get(field)} credits as ${field}, and its jobs have ${sums.get(letter)}`, id);
  }

  /** Whether the records that there are, with those that are gone, come to what tenants have spent. */
  checkAll(payers: Iterable<Payer>): void {
    const sums = this.#sumsOf(payers);
    for (const [name, counted] of this.#peek.fields('spent')) {
      if (name.includes(' ')) continue;
      const kept = sums.get(name) + this.#gone.get(name);
      if (kept !== Number(counted)) this.#broken(`has spent ${counted}, and its records come to ${kept}`, name);
    }
    for (const key of this.#days.keys()) this.#touched.days.add(key);
    for (const tenant of sums.of.keys()) this.#touched.tenants.add(tenant);
    this.check();
  }

  #sumsOf(payers: Iterable<Payer>): Counts {
    const sums = new Counts();
    for (const { tenant, cost } of payers) sums.add(tenant, spentOf(cost));
    return sums;
  }

  /** What stands in Redis now is a new beginning: from here on only what changes is held. */
  restart(payers: Iterable<Payer>): void {
    const sums = this.#sumsOf(payers);
    [this.#totals, this.#gone, this.#days, this.#batches] = [new Counts(), new Counts(), new Map(), new Map()];
    for (const [name, counted] of this.#peek.fields('spent')) {
      if (/^(budget|period) /.test(name)) continue;
      this.#totals.add(name, Number(counted));
      if (!name.includes(' ')) this.#gone.add(name, Number(counted) - sums.get(name));
    }
    for (const name of this.#peek.names()) {
      if (name.startsWith('spent:')) this.#takeDay(name);
      else if (/^batch:[^:]+$/.test(name)) this.#takeBatch(name.slice('batch:'.length));
    }
    this.#forgets = true;
  }

  #takeDay(name: string): void {
    for (const [field, n] of this.#peek.fields(name)) if (isHeld(field)) this.#ofDay(name).add(field, Number(n));
  }

  #takeBatch(id: string): void {
    const batch = this.#peek.fields(`batch:${id}`);
    for (const [field, letter] of OF_BATCH) this.#ofBatch(id).add(letter, Number(batch.get(field) ?? 0));
  }

  /** A call has begun, whose price the budget of its tenant has to hold. */
  begun(tenant: string, price: number, now: number, said: (what: string) => void): void {
    const spent = this.#peek.fields('spent');
    const budget = spent.get(`budget ${tenant}`);
    if (budget === undefined || this.#forgets) return;
    const period = spent.get(`period ${tenant}`);
    const day = String(Math.floor(now / DAY_MS));
    const used =
      period === 'day'
        ? this.#peek.fields(`spent:${tenant}:${day}`).get('#')
        : spent.get(period === 'month' ? `${tenant} ${monthOf(day)}` : tenant);
    if (Number(used) > Number(budget))
      said(`begins a call for ${price} with which ${used} of ${budget} are spent in its ${period}`);
  }
}
