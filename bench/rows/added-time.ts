import { type Asked, startAsked } from '../lib/children.ts';
import { chatJob } from '../lib/job.ts';
import { startOurApi, startReadyWorker } from '../lib/ours.ts';
import { startOwnRedis } from '../lib/redis.ts';
import type { Row } from '../lib/row.ts';
import { median, quantile } from '../lib/sample.ts';
import type { PacedAnswer, PacedQuestion } from '../stand-ins/paced.ts';
import type { SinksQuestion, SinksUrls } from '../stand-ins/sinks.ts';

const PER_SECOND = 50;
const SECONDS = 10;
const WARM_UP_SECONDS = 5;

/** A chat as upstream takes it, and the OpenAI route. */
const COMPLETION = {
  model: 'gemini-3.1-pro',
  messages: [{ role: 'user', content: 'Describe a paper lighthouse on a foggy desk.' }],
};
const { webhook: _webhook, ...JOB } = chatJob('');

const what = `time that the service adds to a synchronous chat, ${PER_SECOND} a second`;
const against = 'the same call made directly';

/** The three ways in turn, in the same processes. Every chat is awaited by its caller. */
export const addedTime: Row = {
  name: 'added-time',
  measures: [
    { what: `${what}, /v1/jobs with Prefer: wait: p50`, against, unit: 'ms', aim: { is: 'at most', value: 6 } },
    { what: 'the same: p99', against, unit: 'ms', aim: { is: 'at most', value: 15 } },
    { what: `${what}, /openai/v1/chat/completions: p50`, against, unit: 'ms', aim: { is: 'at most', value: 6 } },
    { what: 'the same: p99', against, unit: 'ms', aim: { is: 'at most', value: 15 } },
  ],
  rounds: 3,
  async run({ rounds, profileDir, say }) {
    await using stack = new AsyncDisposableStack();
    const redis = stack.use(await startOwnRedis());
    const paced: Asked<PacedQuestion> = startAsked(new URL('../stand-ins/paced.ts', import.meta.url));
    stack.defer(() => paced.stop());
    const sinks = startAsked<SinksQuestion>(new URL('../stand-ins/sinks.ts', import.meta.url));
    stack.defer(() => sinks.stop());
    const { upstream } = await sinks.ask<SinksUrls>({ ask: 'urls' });
    const api = await startOurApi(redis, { profileDir });
    stack.defer(() => api.stop());
    const worker = await startReadyWorker(redis, { upstreamUrl: upstream, profileDir });
    stack.defer(() => worker.stop());
    const { url } = api;
    const headers = await api.headersOf('bench');
    const ways = {
      direct: { url: upstream, path: '/v1/chat/completions', headers: {}, body: JSON.stringify(COMPLETION) },
      v1: { url, path: '/v1/jobs', headers: { ...headers, prefer: 'wait=30' }, body: JSON.stringify(JOB) },
      openai: { url, path: '/openai/v1/chat/completions', headers, body: JSON.stringify(COMPLETION) },
    };
    const times = async (way: keyof typeof ways, seconds: number) =>
      await paced.ask<PacedAnswer>({ ...ways[way], perSecond: PER_SECOND, seconds });
    for (const way of ['direct', 'v1', 'openai'] as const) await times(way, WARM_UP_SECONDS);
    const added: Record<'v1' | 'openai', { p50: number[]; p99: number[] }> = {
      v1: { p50: [], p99: [] },
      openai: { p50: [], p99: [] },
    };
    const directs: { p50: number; p99: number }[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const direct = spread(await times('direct', SECONDS));
      directs.push(direct);
      for (const way of ['v1', 'openai'] as const) {
        const through = spread(await times(way, SECONDS));
        added[way].p50.push(through.p50 - direct.p50);
        added[way].p99.push(through.p99 - direct.p99);
        say(
          `round ${round}/${rounds}: ${way} ${through.p50.toFixed(1)}, ${through.p99.toFixed(1)} ms; direct ${direct.p50.toFixed(1)}, ${direct.p99.toFixed(1)} ms (p50, p99)`,
        );
      }
    }
    const notes = [
      `directly ${median(directs.map(({ p50 }) => p50)).toFixed(1)} ms (p50), ${median(directs.map(({ p99 }) => p99)).toFixed(1)} ms (p99)`,
    ];
    return [
      { figures: added.v1.p50, notes },
      { figures: added.v1.p99 },
      { figures: added.openai.p50 },
      { figures: added.openai.p99 },
    ];
  },
};

const spread = (times: readonly number[]) => ({ p50: median(times), p99: quantile(times, 0.99) });
