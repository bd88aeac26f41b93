import { createJobStore } from '@grsai-jobs/job-store';
import { VirtualClock } from '@grsai-jobs/testkit';
import type { Redis } from 'ioredis';
import { type RoundTrip, SimulatedClient, SimulatedRedis } from '../src/index.ts';

/** Ids of streams follow the clock, and there are two of those. */
const STREAM_ID = /^\d{13}-\d+$/;

/**
 * Neither order says anything: of the fields of a hash Lua may set several in the order of a table, and members of a set have none. A list of
 * texts is one of field and value, unless it is odd.
 */
function comparable(reply: unknown): unknown {
  if (reply instanceof Error) return `-${reply.message.replace(/ script: .*$/s, '')}`;
  if (typeof reply === 'string') return STREAM_ID.test(reply) ? '<id>' : sameJson(reply);
  if (!Array.isArray(reply)) return reply;
  const items = reply.map(comparable);
  if (items.length < 4 || items.length % 2 === 1 || !items.every((each) => typeof each === 'string')) return items;
  return Array.from({ length: items.length / 2 }, (_, i) => `${items[2 * i]} ${items[2 * i + 1]}`).sort();
}

/** cjson writes the fields of an object in the order of a table of Lua. */
function sameJson(text: string): string {
  if (!text.startsWith('{"')) return text;
  return JSON.stringify(Object.entries(JSON.parse(text) as object).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Scripts carry it, and both are to get the same. */
const ONE_PRIMARY = { identity: async () => 'one', ask: async () => 'one', onChange: () => undefined };

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** A store on the simulation, each of whose commands goes to a real Redis too. */
export async function mirrored(redis: Redis) {
  await redis.multi().flushall().script('FLUSH').exec();
  const differences: string[] = [];
  let compared = 0;
  const simulation = new SimulatedRedis({ clock: { now: Date.now } });

  async function compare(trip: RoundTrip): Promise<void> {
    trip.execute();
    const pipeline = trip.atomic ? redis.multi() : redis.pipeline();
    // In capitals ioredis leaves the answer as it is.
    for (const { name, args } of trip.commands) pipeline.call(name.toUpperCase(), ...args.map(bytes));
    const real = ((await pipeline.exec()) ?? []).map(([error, reply]) => error ?? reply);
    const ours = trip.atomic ? trip.answers?.slice(1) : trip.answers;
    for (const [i, { name, args }] of trip.commands.entries()) {
      if (name === 'time') continue;
      compared++;
      const [simulated, wanted] = [ours?.[i], real[i]].map((each) => JSON.stringify(comparable(each)));
      if (simulated !== wanted) differences.push(`${name} ${args.slice(1).join(' ')}\n  ${simulated}\n  instead of ${wanted}`);
    }
    trip.answer();
  }

  const client = new SimulatedClient(simulation, {
    wire: { roundTrip: (trip) => void compare(trip), push: (push) => push.arrive() },
  });
  const clock = new VirtualClock(1_800_000_000_000);

  /** All that stands in one of them. */
  const LOOK: Readonly<Record<string, (key: string) => [string, ...string[]]>> = {
    hash: (key) => ['HGETALL', key],
    zset: (key) => ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
    stream: (key) => ['XRANGE', key, '-', '+'],
    list: (key) => ['LRANGE', key, '0', '-1'],
    set: (key) => ['SMEMBERS', key],
    string: (key) => ['GET', key],
  };
  async function dump(call: (name: string, ...args: string[]) => Promise<unknown>): Promise<Record<string, unknown>> {
    const keys = ((await call('KEYS', '*')) as string[]).sort();
    const found: Record<string, unknown> = {};
    for (const key of keys) {
      const [name, ...args] = LOOK[String(await call('TYPE', key))]?.(key) ?? ['GET', key];
      const ends = Number(await call('PTTL', key)) > 0 ? 'ends' : 'stays';
      found[key] = [ends, comparable(await call(name, ...args))];
    }
    return found;
  }
  const direct = new SimulatedClient(simulation);
  return {
    store: createJobStore({ redis: client, primary: ONE_PRIMARY, prefix: 'gj', clock, scriptClock: clock }),
    clock,
    simulation,
    differences,
    compared: () => compared,
    dumps: async () => ({
      simulated: await dump((name, ...args) => direct.call(name, ...args)),
      real: await dump((name, ...args) => redis.call(name, ...args)),
    }),
  };
}

export type Mirrored = Awaited<ReturnType<typeof mirrored>>;
