import { type Asked, startAsked } from '../lib/children.ts';
import { chatJob } from '../lib/job.ts';
import { startOurApi, startReadyWorker } from '../lib/ours.ts';
import { startOwnRedis } from '../lib/redis.ts';
import type { Row } from '../lib/row.ts';
import { median, quantile } from '../lib/sample.ts';
import type { LoadAnswer, LoadQuestion } from '../stand-ins/load.ts';
import type { PacedAnswer, PacedQuestion } from '../stand-ins/paced.ts';
import type { SinksQuestion, SinksUrls } from '../stand-ins/sinks.ts';

const WARM_UP_SECONDS = 4;
const CONNECTIONS = 64;

/** A chat as upstream takes it, and the OpenAI route. */
const COMPLETION = {
  model: 'gemini-3.1-pro',
  messages: [{ role: 'user', content: 'Describe a paper lighthouse on a foggy desk.' }],
};
const { webhook: _webhook, ...JOB } = chatJob('');

const against = 'the same call made directly';

interface Shape {
  readonly name: string;
  /** Of synchronous chats, as it is said of them. */
  readonly pace: string;
  /** Chats a second, of the most that can be made. */
  paceOf(most: () => Promise<number>): Promise<number>;
  /** How long each way is measured in each round. */
  readonly forS: number;
  readonly seconds: number;
  readonly aims?: { readonly p50: number; readonly p99: number };
}

/** The three ways in turn, in the same processes. Every chat is awaited by its caller. */
const added = ({ name, pace, paceOf, forS, seconds, aims }: Shape): Row => {
  const what = `time that the service adds to a synchronous chat, ${pace}`;
  const measure = (text: string, value: number | undefined) => ({
    ...{ what: text, against, unit: 'ms' as const },
    ...(value === undefined ? {} : { aim: { is: 'at most' as const, value } }),
  });
  return {
    name,
    measures: [
      measure(`${what}, /v1/jobs with Prefer: wait: p50`, aims?.p50),
      measure('the same: p99', aims?.p99),
      measure(`${what}, /openai/v1/chat/completions: p50`, aims?.p50),
      measure('the same: p99', aims?.p99),
    ],
    rounds: 3,
    seconds,
    async run({ rounds, profileDir, say }) {
      await using stack = new AsyncDisposableStack();
      const redis = stack.use(await startOwnRedis());
      const paced: Asked<PacedQuestion> = startAsked(new URL('../stand-ins/paced.ts', import.meta.url));
      stack.defer(() => paced.stop());
      const load: Asked<LoadQuestion> = startAsked(new URL('../stand-ins/load.ts', import.meta.url));
      stack.defer(() => load.stop());
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
      const most = async (): Promise<number> => {
        const all = { ...ways.v1, connections: CONNECTIONS, expects: 200 };
        await load.ask({ ...all, seconds: WARM_UP_SECONDS });
        const { requests, seconds } = await load.ask<LoadAnswer>({ ...all, seconds: forS });
        say(`at most ${(requests / seconds).toFixed(0)} a second over ${CONNECTIONS} connections`);
        return requests / seconds;
      };
      const perSecond = await paceOf(most);
      const times = async (way: keyof typeof ways, seconds: number) =>
        await paced.ask<PacedAnswer>({ ...ways[way], perSecond, seconds });
      for (const way of ['direct', 'v1', 'openai'] as const) await times(way, WARM_UP_SECONDS);
      const more: Record<'v1' | 'openai', { p50: number[]; p99: number[] }> = {
        v1: { p50: [], p99: [] },
        openai: { p50: [], p99: [] },
      };
      const directs: { p50: number; p99: number }[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        const direct = spread(await times('direct', forS));
        directs.push(direct);
        for (const way of ['v1', 'openai'] as const) {
          const through = spread(await times(way, forS));
          more[way].p50.push(through.p50 - direct.p50);
          more[way].p99.push(through.p99 - direct.p99);
          say(
            `round ${round}/${rounds}: ${way} ${through.p50.toFixed(1)}, ${through.p99.toFixed(1)} ms; direct ${direct.p50.toFixed(1)}, ${direct.p99.toFixed(1)} ms (p50, p99)`,
          );
        }
      }
      const notes = [
        `at ${perSecond} a second; directly ${median(directs.map(({ p50 }) => p50)).toFixed(1)} ms (p50), ${median(directs.map(({ p99 }) => p99)).toFixed(1)} ms (p99)`,
      ];
      return [
        { figures: more.v1.p50, notes },
        { figures: more.v1.p99 },
        { figures: more.openai.p50 },
        { figures: more.openai.p99 },
      ];
    },
  };
};

const spread = (times: readonly number[]) => ({ p50: median(times), p99: quantile(times, 0.99) });

/** A large collection of garbage comes once in some 800 chats here, and holds up three or four: of 400 chats it alone would be the p99. */
export const addedTime = added({
  ...{ name: 'added-time', pace: '50 a second', forS: 20, seconds: 205, aims: { p50: 6, p99: 15 } },
  paceOf: async () => 50,
});

/** The most is measured with 64 chats at once through `/v1/jobs`, in the same run; then half of it is driven, whether or not earlier ones are answered. */
export const addedTimeHalf = added({
  ...{ name: 'added-time-half', pace: 'half of the most', forS: 8, seconds: 110 },
  paceOf: async (most) => Math.round((await most()) / 2),
});
