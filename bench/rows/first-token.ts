import { type Asked, startAsked } from '../lib/children.ts';
import { startOurApi, startReadyWorker } from '../lib/ours.ts';
import { startOwnRedis } from '../lib/redis.ts';
import type { Row } from '../lib/row.ts';
import { median, quantile } from '../lib/sample.ts';
import type { PacedAnswer, PacedQuestion } from '../stand-ins/paced.ts';

const PER_SECOND = 20;
const SECONDS = 10;

const BODY = JSON.stringify({
  model: 'gemini-3.1-pro',
  messages: [{ role: 'user', content: 'Describe a paper lighthouse on a foggy desk.' }],
  stream: true,
});

/** From upstream's first piece, which says when it was sent, to the caller of the OpenAI route. */
export const firstToken: Row = {
  name: 'first-token',
  measures: [
    {
      what: `first token of a stream behind upstream's, ${PER_SECOND} chats a second, p50`,
      against: '–',
      unit: 'ms',
      aim: { is: 'at most', value: 20 },
    },
  ],
  rounds: 3,
  seconds: 45,
  async run({ rounds, profileDir, say }) {
    await using stack = new AsyncDisposableStack();
    const redis = stack.use(await startOwnRedis());
    const paced: Asked<PacedQuestion> = startAsked(new URL('../stand-ins/paced.ts', import.meta.url));
    stack.defer(() => paced.stop());
    const tokens = startAsked<object>(new URL('../stand-ins/tokens.ts', import.meta.url));
    stack.defer(() => tokens.stop());
    const upstreamUrl = await tokens.ask<string>({});
    const api = await startOurApi(redis, { profileDir });
    stack.defer(() => api.stop());
    const worker = await startReadyWorker(redis, { upstreamUrl, profileDir });
    stack.defer(() => worker.stop());
    const headers = await api.headersOf('bench');
    const ask = async (seconds: number) =>
      await paced.ask<PacedAnswer>({
        ...{ url: api.url, path: '/openai/v1/chat/completions', headers, body: BODY },
        ...{ perSecond: PER_SECOND, seconds, firstPiece: true },
      });
    await ask(5);
    const figures: number[] = [];
    const late: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const behind = await ask(SECONDS);
      figures.push(median(behind));
      late.push(quantile(behind, 0.99));
      say(`round ${round}/${rounds}: ${median(behind).toFixed(1)} ms, p99 ${late.at(-1)?.toFixed(1)} ms`);
    }
    return [{ figures, notes: [`p99 ${median(late).toFixed(1)} ms`] }];
  },
};
