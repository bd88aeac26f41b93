import type { RedisHandle } from '@grsai-jobs/testkit';
import type { BareApiQuestion } from '../bare/api.ts';
import { type Asked, startAsked } from '../lib/children.ts';
import { cpuSince } from '../lib/cpu.ts';
import { chatJob, NOWHERE } from '../lib/job.ts';
import { startOurApi } from '../lib/ours.ts';
import { connectionTo, startOwnRedis } from '../lib/redis.ts';
import type { Row } from '../lib/row.ts';
import { alternate, type Side } from '../lib/sample.ts';
import type { LoadAnswer, LoadQuestion } from '../stand-ins/load.ts';

const CONNECTIONS = 64;
/** By number and not by time: on a busy machine both sides are as warm as on a quiet one. */
const WARM_UP = 16_000;
const MEASURED = 16_000;

/**
 * Both processes live through all rounds, each with a Redis of its own; the one that is not measured idles. The load
 * generator has to be lighter than the bare side: one that costs more than that holds both sides to its own pace, and
 * the ratio looks better than it is (*measured*: with `fetch` in place of an undici pool 0.73 in place of 0.5).
 */
export const postJobs: Row = {
  name: 'post-jobs',
  measures: [
    {
      what: `POST /v1/jobs, ${CONNECTIONS} connections`,
      against: 'bare Express 5 + zod + queue.add',
      unit: '',
      aim: { is: 'at least', value: 0.6 },
    },
  ],
  rounds: 7,
  seconds: 60,
  async run({ rounds, profileDir, say }) {
    await using stack = new AsyncDisposableStack();
    const [ourRedis, bareRedis] = await Promise.all([startOwnRedis(), startOwnRedis()]);
    stack.use(ourRedis);
    stack.use(bareRedis);
    const load = startAsked<LoadQuestion>(new URL('../stand-ins/load.ts', import.meta.url));
    stack.defer(() => load.stop());
    const api = await startOurApi(ourRedis, { profileDir });
    stack.defer(() => api.stop());
    const bare = startAsked<BareApiQuestion>(new URL('../bare/api.ts', import.meta.url));
    stack.defer(() => bare.stop());
    const { url } = await bare.ask<{ url: string }>({ redis: connectionTo(bareRedis) });

    const ours = postingSide(load, { ...api, redis: ourRedis });
    const theirs = postingSide(load, { url, headers: {}, pid: bare.pid, redis: bareRedis });
    await ours(WARM_UP)();
    await theirs(WARM_UP)();
    return [await alternate(rounds, { ours: ours(MEASURED), bare: theirs(MEASURED) }, say)];
  },
};

interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly redis: RedisHandle;
}

/** Jobs that are posted to one API. */
export const postingSide =
  (load: Asked<LoadQuestion>, target: Target) =>
  (count: number): Side =>
  async () => {
    const used = cpuSince({ own: target.pid, redis: target.redis.pid, driver: load.pid });
    const body = JSON.stringify(chatJob(NOWHERE));
    const { url, headers } = target;
    const answer = await load.ask<LoadAnswer>({ url, headers, path: '/v1/jobs', body, connections: CONNECTIONS, count });
    return { perSecond: answer.requests / answer.seconds, cpu: used(answer.requests) };
  };
