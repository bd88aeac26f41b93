import type { SortedSet } from '../../redis/data/sorted-set.ts';
import type { SeenJob } from './jobs.ts';
import { isHidden, isLeft } from './lines.ts';
import type { Peek, Place } from './peek.ts';
import { STATES } from './states.ts';

/** Where jobs of one tenant stand for one queue, as long as they wait or have a permit. */
interface Room {
  readonly waiting: Place;
  readonly aside: Place;
  readonly broke: Place;
  readonly seats: Place;
  readonly permits: Place;
}

/** A permit of a call outlives its lease by so much. */
const PERMIT_AFTER_LEASE_MS = 60_000;

/** Sets of ids are what a job in its state stands in. */
export class Standing {
  readonly #peek: Peek;
  readonly #now: () => number;
  readonly #broken: (what: string, id: string) => void;
  readonly #inflight: Place;
  readonly #inflightCall: Place;
  readonly #due: Place;
  readonly #ended: Place;
  readonly #failed: Place;
  readonly #storing: Place;
  readonly #rooms = new Map<string, Map<string, Room>>();
  readonly #failedOf = new Map<string, Place>();

  constructor(peek: Peek, now: () => number, broken: (what: string, id: string) => void) {
    this.#peek = peek;
    this.#now = now;
    this.#broken = broken;
    this.#inflight = peek.place('inflight');
    this.#inflightCall = peek.place('inflight:call');
    this.#due = peek.place('due');
    this.#ended = peek.place('ended');
    this.#failed = peek.place('failed');
    this.#storing = peek.place('storing');
  }

  #roomOf(queue: string, tenant: string): Room {
    const rooms = made(this.#rooms, queue, () => new Map<string, Room>());
    return made(rooms, tenant, () => {
      const room = `waiting:${queue}:${tenant}`;
      return {
        waiting: this.#peek.place(room),
        aside: this.#peek.place(`${room}:aside`),
        broke: this.#peek.place(`${room}:broke`),
        seats: this.#peek.place(`${room}:seats`),
        permits: this.#peek.place(`inflight:${queue}:${tenant}`),
      };
    });
  }

  hasPermit(id: string): boolean {
    return this.#inflight.score(id) !== undefined;
  }

  /** Permits that have not run out, of all. */
  inFlight(): number {
    return this.#count(this.#inflight.set());
  }

  inFlightOf(queue: string, tenant: string): number {
    return this.#count(this.#roomOf(queue, tenant).permits.set());
  }

  #count(set: SortedSet | undefined): number {
    return set === undefined ? 0 : set.size - set.firstFrom(this.#now(), true);
  }

  /** What counts for all counts for its queue and its tenant; what is over may be left there. */
  #permits(id: string, { queue }: SeenJob, { permits }: Room): void {
    this.#permit(id, permits);
    if (queue === 'call') this.#permit(id, this.#inflightCall);
  }

  #permit(id: string, place: Place): void {
    const until = this.#inflight.score(id);
    const own = place.score(id);
    if (own !== until && (until !== undefined || Number(own) > this.#now()))
      this.#broken(`has a permit until ${until}, and in ${place.name} until ${own}`, id);
  }

  /** A line that has just come, or whose batch was committed and is brought into the lists by an operation: it need not be due. */
  #isUnlisted({ batch, state, turn, ver }: SeenJob): boolean {
    if (batch === null || state !== 'queued' || turn !== 0 || ver !== 1) return false;
    return isHidden(this.#peek, batch) || this.#peek.has(`operation:batch-list:${batch}`);
  }

  #dueAsLive(id: string, job: SeenJob): void {
    const isDue = this.#due.score(id) !== undefined;
    const isLive = STATES[job.state]?.end === undefined;
    if (isDue !== isLive && !this.#isUnlisted(job)) this.#broken(`is ${job.state} and ${isLive ? 'not ' : ''}in due`, id);
  }

  #stands(place: Place, id: string, { state }: SeenJob, wanted: boolean): void {
    if ((place.score(id) !== undefined) !== wanted) this.#broken(`is ${state} and ${wanted ? 'not ' : ''}in ${place.name}`, id);
  }

  check(id: string, job: SeenJob): void {
    const told = STATES[job.state];
    if (told === undefined) return;
    const { end } = told;
    this.#dueAsLive(id, job);
    this.#stands(this.#ended, id, job, end !== undefined);
    this.#stands(this.#failed, id, job, end === 'unwanted');
    const failedOf = made(this.#failedOf, job.tenant, () => this.#peek.place(`tenant:${job.tenant}:failed`));
    this.#stands(failedOf, id, job, end === 'unwanted');
    this.#stands(this.#storing, id, job, told.stored === true);
    const room = this.#roomOf(job.queue, job.tenant);
    this.#waits(id, job, room);
    this.#permits(id, job, room);
    this.#calls(id, job, told.call === true);
  }

  /** In the room of its tenant, or with a turn. */
  #waits(id: string, job: SeenJob, room: Room): void {
    const isQueued = job.state === 'queued';
    const aside = room.aside.fields().get(id);
    const broke = aside?.startsWith('budget ') === true;
    const isLine = job.batch !== null && isLeft(this.#peek, job.batch, job.queue, id);
    if (isLine && (!isQueued || job.turn !== 0 || aside !== undefined))
      this.#broken(`is ${job.state} in turn ${job.turn}, and among the lines that its batch has left`, id);
    this.#stands(room.waiting, id, job, isQueued && job.turn === 0 && !broke && !isLine);
    this.#stands(room.broke, id, job, broke);
    if (!isQueued || job.turn === 0) this.#stands(room.seats, id, job, false);
    if (aside !== undefined && (!isQueued || (job.turn === 0) !== broke || room.seats.score(id) !== undefined))
      this.#broken(`is ${job.state} in turn ${job.turn}, and set aside: ${aside}`, id);
  }

  #calls(id: string, job: SeenJob, isCall: boolean): void {
    if (job.state !== 'running/generating' && !isCall) this.#stands(this.#inflight, id, job, false);
    if (isCall && job.leaseEnds + PERMIT_AFTER_LEASE_MS > this.#now()) {
      const until = this.#inflight.score(id);
      if (until === undefined || until < job.leaseEnds)
        this.#broken(`has a call in flight until ${job.leaseEnds}, and no permit`, id);
    }
    if (isCall && job.lease === null) this.#broken('has a call in flight, and no lease', id);
  }
}

/** What stands there, made when there is nothing. */
function made<T>(of: Map<string, T>, name: string, make: () => T): T {
  const there = of.get(name);
  if (there !== undefined) return there;
  const value = make();
  of.set(name, value);
  return value;
}
