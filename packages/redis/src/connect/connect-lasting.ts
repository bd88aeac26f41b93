import type { Redis } from '../client.ts';
import { createReplicaLasting, type Lasting } from '../lasting.ts';
import { type ConnectOptions, connectRedis } from './connect.ts';

/** What a process waits for before it believes in a write, as `REDIS_DURABILITY` says; `undefined`: nothing. */
export interface Durable {
  readonly lasting: Lasting | undefined;
  disconnect(): void;
}

/**
 * With `replica` over a connection of its own, which fails fast and sends nothing again: what was not answered may have been written by
 * another primary. With `memory`, and with a Redis that writes each change to its disk before it answers, there is nothing to wait for.
 *
 * @param o.key any of the installation; it holds nothing of value.
 */
export async function connectLasting(
  url: string,
  durability: 'memory' | 'replica' | 'disk',
  { key, ...o }: ConnectOptions & { key: string },
): Promise<Durable> {
  if (durability !== 'replica') return { lasting: undefined, disconnect: () => undefined };
  const redis = await connectRedis(url, 'producer', o);
  const replicas = await leastReplicas(redis);
  return { lasting: createReplicaLasting(redis, { key, replicas }), disconnect: () => redis.disconnect() };
}

/**
 * As many replicas as a primary needs to take a write at all, and one where it does not say. With fewer than all of them one could be promoted
 * while another still confirms what the old primary takes (*measured*: up to a second in a planned failover).
 */
async function leastReplicas(redis: Pick<Redis, 'config'>): Promise<number> {
  const answer = (await redis.config('GET', 'min-replicas-to-write').catch(() => null)) as string[] | null;
  return Math.max(1, Number(answer?.[1] ?? 1));
}
