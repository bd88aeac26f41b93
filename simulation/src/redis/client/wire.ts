import type { SimulatedClient } from './client.ts';

/** A command as the client sends it. */
export interface SentCommand {
  readonly name: string;
  readonly args: readonly string[];
}

/**
 * A round trip that the client has begun: one command, or those of a pipeline or a transaction. Whoever has it decides what becomes of
 * it, by calling these in any order, at any time, or never.
 */
export interface RoundTrip {
  readonly client: SimulatedClient;
  readonly commands: readonly SentCommand[];
  /** Commands of a transaction are executed in one step; those of a pipeline may have others between them. */
  readonly atomic: boolean;
  /** Counts from 1; above it a client that waits has sent it again, since its answer was lost. */
  readonly attempt: number;
  /**
   * Redis executes it now; of a pipeline only the next `count` commands. Called again when all were executed, it executes them again,
   * as a repeated packet.
   */
  execute(count?: number): void;
  /** What Redis has answered to each command, in plain values and errors; `null` as long as it has not executed them all. */
  readonly answers: readonly unknown[] | null;
  /** The answers reach the client. What is not executed yet, or waits in Redis (BLOCK), is answered as soon as it can be. */
  answer(): void;
  /** The connection breaks: the client hears that, and sends it again if that is its role. */
  cut(): void;
}

/** A message on its way to a subscriber. */
export interface Push {
  readonly client: SimulatedClient;
  readonly channel: string;
  readonly message: string;
  arrive(): void;
}

/** Between clients and Redis: decides when a round trip is executed and answered, and when messages arrive. */
export interface Wire {
  roundTrip(trip: RoundTrip): void;
  push(push: Push): void;
}

/** Nothing is lost or late. */
export const PERFECT_WIRE: Wire = {
  roundTrip: (trip) => {
    trip.execute();
    trip.answer();
  },
  push: (push) => push.arrive(),
};
