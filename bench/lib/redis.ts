import { type RedisHandle, startRedis, waitFor } from '@grsai-jobs/testkit';
import type { Redis } from 'ioredis';

/** A Redis that only this side of this row uses, without an append-only file unless both sides keep one; never a shared one. */
export const startOwnRedis = (appendonly: 'no' | 'everysec' = 'no'): Promise<RedisHandle> =>
  startRedis({ appendonly }, { ...process.env, TEST_REDIS_URL: '' });

/** Where BullMQ connects to. */
export interface Connection {
  readonly host: string;
  readonly port: number;
}

export const connectionTo = ({ url, port }: RedisHandle): Connection => ({ host: new URL(url).hostname, port });

/** `used_memory` once it rests: buffers of connections are given back and tables rehashed a moment after the last request. */
export async function settledMemory(client: Redis): Promise<number> {
  let last = 0;
  const rests = async (): Promise<number | undefined> => {
    const now = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
    const still = Math.abs(now - last) < 4096;
    last = now;
    return still ? now : undefined;
  };
  return await waitFor(rests, { timeoutMs: 30_000, everyMs: 500, what: 'used_memory to rest' });
}
