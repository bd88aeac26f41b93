import { startRedis, VirtualClock } from '@grsai-jobs/testkit';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NotModelled, ReplyError, SimulatedRedis } from '../src/index.ts';
import { toBytes } from '../src/redis/bytes.ts';
import { plain } from '../src/redis/client/replies.ts';
import { commands, type Sent } from './commands.ts';

/** How many sequences are tried; for a long run set it in the environment. */
const RUNS = Number(process.env['SIMULATION_RUNS'] ?? 40);

let server: Awaited<ReturnType<typeof startRedis>>;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url, { protocol: 2 });
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** Redis has no order in these. */
const UNORDERED: Readonly<Record<string, (reply: unknown) => unknown>> = {
  keys: sorted,
  smembers: sorted,
  hkeys: sorted,
  // Which ones is left to chance.
  hrandfield: (reply) => (Array.isArray(reply) ? reply.length : reply),
  hvals: sorted,
  hgetall: (reply) =>
    Array.isArray(reply) ? sorted(Array.from({ length: reply.length / 2 }, (_, i) => reply.slice(2 * i, 2 * i + 2))) : reply,
  // Time goes on between the two.
  pttl: (reply) => (typeof reply === 'number' && reply > 0 ? Math.round(reply / 100_000) : reply),
  ttl: (reply) => (typeof reply === 'number' && reply > 0 ? Math.round(reply / 100) : reply),
};

function sorted(reply: unknown): unknown {
  return Array.isArray(reply) ? [...reply].map((each) => JSON.stringify(each)).sort() : reply;
}

function shown([name]: Sent, reply: unknown): unknown {
  if (reply instanceof Error) return `-${reply.message.replace(/ script: .*$/s, '')}`;
  return UNORDERED[name.toLowerCase()]?.(reply) ?? reply;
}

/** What the simulation answers; what it does not model changes nothing and is left out on both sides. */
function simulated(sequence: readonly Sent[]): { sent: Sent[]; replies: unknown[] } {
  const simulation = new SimulatedRedis({ clock: new VirtualClock(Date.now()) });
  const sent: Sent[] = [];
  const replies: unknown[] = [];
  for (const command of sequence) {
    const before = simulation.snapshot();
    const [name, ...args] = command;
    try {
      replies.push(shown(command, plain(simulation.execute(name, args.map(toBytes)))));
    } catch (error) {
      if (error instanceof NotModelled) {
        simulation.rollback(before);
        continue;
      }
      if (!(error instanceof ReplyError)) throw error;
      replies.push(shown(command, error));
    }
    sent.push(command);
  }
  return { sent, replies };
}

async function real(sequence: readonly Sent[]): Promise<unknown[]> {
  const pipeline = redis.pipeline();
  pipeline.flushall();
  for (const [name, ...args] of sequence) pipeline.call(name, ...args);
  const answers = (await pipeline.exec()) ?? [];
  return answers.slice(1).map(([error, reply], i) => shown(sequence[i] as Sent, error ?? reply));
}

const together = (sent: readonly Sent[], replies: readonly unknown[]) =>
  sent.map((command, i) => [command.join(' '), replies[i]]);

test(
  'when commands come in any order, on keys of any type, then each is answered as Redis answers it, and the same is left',
  async () => {
    await fc.assert(
      fc.asyncProperty(commands(120), async (sequence) => {
        const { sent, replies } = simulated(sequence);
        expect(together(sent, replies)).toEqual(together(sent, await real(sent)));
      }),
      { numRuns: RUNS },
    );
  },
  30_000 + 2000 * RUNS,
);
