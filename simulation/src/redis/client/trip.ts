import { type Reply, Status } from '../commands/command.ts';
import { readStreams, streamRead } from '../commands/streams.ts';
import { ReplyError } from '../errors.ts';
import type { SimulatedRedis } from '../server.ts';
import type { SimulatedClient } from './client.ts';
import { plain } from './replies.ts';
import type { RoundTrip, SentCommand } from './wire.ts';

/** A reply, or the error that stands in its place. */
export type Answer = Reply | ReplyError;

/** Lets something happen later, by the clock of the simulation. Answers how it is called off. */
export type After = (ms: number, happen: () => void) => () => void;

/** What waits for a connection, or for what it brings. */
export interface Unsent {
  readonly commands: readonly SentCommand[];
  readonly atomic: boolean;
  readonly attempt: number;
  readonly resolve: (answers: readonly Answer[]) => void;
  readonly reject: (error: unknown) => void;
}

/** What a client makes of what becomes of its trips. */
interface Waiting {
  settle(trip: Trip, answers: readonly Answer[]): void;
  /** The connection has broken. */
  broken(trip: Trip): void;
  /** Redis could not be simulated: nobody can go on. */
  failed(trip: Trip, error: unknown): void;
}

/** What all trips of one client have. */
export interface Travel {
  readonly client: SimulatedClient;
  readonly redis: SimulatedRedis;
  readonly after: After | undefined;
  readonly waiting: Waiting;
}

/** One round trip, as the wire gets it. */
export class Trip implements RoundTrip {
  readonly client: SimulatedClient;
  readonly commands: readonly SentCommand[];
  readonly atomic: boolean;
  readonly attempt: number;
  readonly sent: Unsent;
  readonly #travel: Travel;
  #answers: Answer[] = [];
  #done: Answer[] | undefined;
  #wanted = false;
  #over = false;
  #blocked = false;

  constructor(travel: Travel, sent: Unsent) {
    this.client = travel.client;
    this.commands = sent.commands;
    this.atomic = sent.atomic;
    this.attempt = sent.attempt;
    this.sent = sent;
    this.#travel = travel;
  }

  execute(count: number = this.commands.length): void {
    try {
      if (this.atomic) this.#finish(this.#transaction());
      else this.#next(count);
    } catch (error) {
      this.#over = true;
      this.#travel.waiting.failed(this, error);
    }
  }

  get answers(): readonly unknown[] | null {
    return this.#done?.map(plain) ?? null;
  }

  answer(): void {
    this.#wanted = true;
    if (this.#done !== undefined && !this.#over) {
      this.#over = true;
      this.#travel.waiting.settle(this, this.#done);
    }
  }

  cut(): void {
    this.client.cut();
  }

  /** Nobody waits for its answer any more; Redis may still execute it. */
  break(): void {
    if (this.#over) return;
    this.#over = true;
    this.#travel.waiting.broken(this);
  }

  #next(count: number): void {
    if (this.#blocked) return;
    for (let left = count; left > 0 && this.#answers.length < this.commands.length; left--) {
      const command = this.commands[this.#answers.length] as SentCommand;
      const answer = this.#run(command);
      if (answer === null && this.#blocks(command)) return;
      this.#answers.push(answer);
    }
    if (this.#answers.length === this.commands.length) this.#finish(this.#answers);
  }

  #finish(answers: Answer[]): void {
    // What is executed again before it was answered is answered as it went the last time.
    this.#done = answers;
    this.#answers = [];
    if (this.#wanted) this.answer();
  }

  #run({ name, args }: SentCommand): Answer {
    try {
      return this.#travel.redis.execute(name, args, this.client.name);
    } catch (error) {
      if (error instanceof ReplyError) return error;
      throw error;
    }
  }

  /** MULTI, the commands, EXEC. One that Redis would not begin has it refuse them all. */
  #transaction(): Answer[] {
    const refused: ReplyError[] = [];
    for (const { name, args } of this.commands)
      try {
        this.#travel.redis.check(name.toUpperCase(), args);
      } catch (error) {
        if (!(error instanceof ReplyError)) throw error;
        refused.push(error);
      }
    if (refused.length > 0) {
      const error = new ReplyError('EXECABORT Transaction discarded because of previous errors.');
      return [Object.assign(error, { previousErrors: refused })];
    }
    return [new Status('OK'), ...this.commands.map((command) => this.#run(command))];
  }

  /** XREAD BLOCK that has found nothing: it waits in Redis until there is something, or its time is over. */
  #blocks({ name, args }: SentCommand): boolean {
    if (name.toUpperCase() !== 'XREAD' || this.atomic) return false;
    const asked = streamRead(this.#travel.redis, args);
    if (asked.block === null) return false;
    if (this.#travel.after === undefined) throw new Error('a client whose commands block needs `after`');
    this.#blocked = true;
    const go = (answer: Answer) => {
      this.#blocked = false;
      callOff?.();
      this.#answers.push(answer);
      this.#next(this.commands.length);
    };
    const look = () => {
      if (!this.#blocked || this.#over) return;
      const found = readStreams(this.#travel.redis, asked);
      if (found === null) this.#travel.redis.afterNext(look);
      else go(found);
    };
    this.#travel.redis.afterNext(look);
    const callOff = asked.block === 0 ? undefined : this.#travel.after(asked.block, () => (this.#blocked ? go(null) : undefined));
    return true;
  }
}
