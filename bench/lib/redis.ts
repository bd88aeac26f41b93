import { type RedisHandle, startRedis } from '@grsai-jobs/testkit';

/** A Redis that only this side of this row uses, without an append-only file on either side; never a shared one. */
export const startOwnRedis = (): Promise<RedisHandle> => startRedis({ appendonly: 'no' }, { ...process.env, TEST_REDIS_URL: '' });

/** Where BullMQ connects to. */
export interface Connection {
  readonly host: string;
  readonly port: number;
}

export const connectionTo = ({ url, port }: RedisHandle): Connection => ({ host: new URL(url).hostname, port });
