import { startRedis, waitFor } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { startAsked } from '../lib/children.ts';
import { startOurApi } from '../lib/ours.ts';
import { startOwnRedis } from '../lib/redis.ts';
import type { Row } from '../lib/row.ts';
import { alternate } from '../lib/sample.ts';
import type { LoadQuestion } from '../stand-ins/load.ts';
import { postingSide } from './post-jobs.ts';

const WARM_UP = 8000;
const MEASURED = 8000;

/** Two APIs over one Redis with a replica; one of them waits for the replica before it answers. */
export const durability: Row = {
  name: 'durability',
  measures: [
    {
      what: 'POST /v1/jobs with REDIS_DURABILITY=replica, 64 connections',
      against: 'the same with memory, over the same primary and replica',
      unit: '',
      aim: { is: 'at least', value: 0.8 },
    },
  ],
  rounds: 5,
  seconds: 45,
  async run({ rounds, profileDir, say }) {
    await using stack = new AsyncDisposableStack();
    const redis = stack.use(await startOwnRedis());
    const own = { ...process.env, TEST_REDIS_URL: '' };
    stack.use(await startRedis({ args: ['--replicaof', '127.0.0.1', String(redis.port)] }, own));
    const client = new Redis(redis.url);
    stack.defer(() => client.disconnect());
    const online = async () => (await client.info('replication')).includes('state=online');
    await waitFor(online, { timeoutMs: 30_000, what: 'the replica to be in step' });
    const load = startAsked<LoadQuestion>(new URL('../stand-ins/load.ts', import.meta.url));
    stack.defer(() => load.stop());
    const memory = await startOurApi(redis, { profileDir });
    stack.defer(() => memory.stop());
    const replica = await startOurApi(redis, { profileDir, env: { REDIS_DURABILITY: 'replica' } });
    stack.defer(() => replica.stop());
    const ours = postingSide(load, { ...replica, redis });
    const bare = postingSide(load, { ...memory, redis });
    await ours(WARM_UP)();
    await bare(WARM_UP)();
    return [await alternate(rounds, { ours: ours(MEASURED), bare: bare(MEASURED) }, say)];
  },
};
