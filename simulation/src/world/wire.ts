import type { Random } from '../random.ts';
import type { SimulatedClient } from '../redis/client/client.ts';
import type { RoundTrip, Wire } from '../redis/client/wire.ts';
import type { VirtualTime } from '../time/virtual-time.ts';
import { PREFIX } from './prefix.ts';
import type { SimulatedProcess } from './process.ts';

/** What happens on the way between processes and Redis. */
export interface Network {
  /** Processes that cannot reach Redis. */
  readonly cutOff: Set<SimulatedProcess>;
  /** Nobody can reach it. */
  away: boolean;
  /** Breaks each connection that has been used. */
  readonly connections: Map<SimulatedClient, () => void>;
  /** Nothing is under way for any time, so that all that is sent at one moment is there at once, in any order. */
  isInstant: boolean;
  /** How often the connection breaks between a command and its answer. */
  lost: number;
  /** How often a worker sends again what Redis has done to the records. */
  repeated: number;
}

/** An entry that is taken again is another one: the first comes back when its lock is over. So only what goes to the records is repeated. */
const isToRecords = ({ client, commands }: RoundTrip): boolean =>
  client.role === 'consumer' && commands.every(({ args }) => args.some((arg) => arg.startsWith(`{${PREFIX}}:`)));

/** The way of one connection of a process to Redis. Commands arrive in the order in which they were sent, and so do their answers. */
export function wireOf(o: { process: SimulatedProcess; time: VirtualTime; random: Random; network: Network }): Wire {
  const { process, time, random, network } = o;
  let arrivesAt = 0;
  let answersAt = 0;
  const lane = {};
  const later = (at: number, run: () => void, about: unknown) => time.after(at - time.now(), run, lane, about);
  const underWay = () => (network.isInstant ? 0 : 0.1 + random.next() * 0.4);
  const isAway = () => network.away || network.cutOff.has(process);

  function breakOff(trip: Pick<RoundTrip, 'client' | 'cut'>): void {
    trip.cut();
    const again = () => {
      if (process.state === 'dead') return;
      if (isAway()) time.after(random.whole(200, 1000), again);
      else process.enter(() => trip.client.connect());
    };
    time.after(random.whole(20, 300), again);
  }

  return {
    roundTrip(trip) {
      const { client } = trip;
      if (!network.connections.has(client))
        network.connections.set(client, () => process.enter(() => breakOff({ client, cut: () => client.cut() })));
      if (isAway()) return void process.enter(() => breakOff(trip));
      arrivesAt = Math.max(arrivesAt, time.now() + underWay());
      later(
        arrivesAt,
        () => {
          if (isAway()) return process.enter(() => breakOff(trip));
          trip.execute();
          if (random.chance(network.repeated) && isToRecords(trip)) trip.execute();
          if (random.chance(network.lost)) return process.enter(() => breakOff(trip));
          answersAt = Math.max(answersAt, time.now() + underWay());
          later(
            answersAt,
            () => {
              if (network.isInstant) process.hear(JSON.stringify(trip.answers));
              process.enter(() => trip.answer());
            },
            process,
          );
        },
        trip,
      );
    },
    push: (push) => void time.after(random.next(), () => process.enter(() => push.arrive()), null, process),
  };
}
