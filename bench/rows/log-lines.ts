import { startAsked } from '../lib/children.ts';
import { chatJob } from '../lib/job.ts';
import { startOurApi, startReadyWorker } from '../lib/ours.ts';
import { startOwnRedis } from '../lib/redis.ts';
import type { Row } from '../lib/row.ts';
import type { LoadQuestion } from '../stand-ins/load.ts';
import type { SinksQuestion, SinksUrls } from '../stand-ins/sinks.ts';

const JOBS = 200;

/** Both processes are stopped before their lines are counted, so that none is on its way. What a start and a stop say is not a job's. */
export const logLines: Row = {
  name: 'log-lines',
  measures: [
    {
      what: `lines at info of a chat job from its POST to its webhook, the API's and the worker's (${JOBS} jobs)`,
      against: '–',
      unit: 'lines',
      aim: { is: 'at most', value: 2 },
      tolerance: 0,
    },
  ],
  rounds: 1,
  seconds: 8,
  async run({ rounds, say }) {
    await using stack = new AsyncDisposableStack();
    const load = startAsked<LoadQuestion>(new URL('../stand-ins/load.ts', import.meta.url));
    stack.defer(() => load.stop());
    const sinks = startAsked<SinksQuestion>(new URL('../stand-ins/sinks.ts', import.meta.url));
    stack.defer(() => sinks.stop());
    const urls = await sinks.ask<SinksUrls>({ ask: 'urls' });
    const figures: number[] = [];
    let notes: string[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      await using redis = await startOwnRedis();
      const events = new Map<string, number>();
      const onLine = (text: string) => {
        const line = JSON.parse(text) as { level: string; name: string; event?: string; job_id?: string };
        if (line.level !== 'info' || line.job_id === undefined) return;
        const event = `${line.name} ${line.event ?? '(no event)'}`;
        events.set(event, (events.get(event) ?? 0) + 1);
      };
      await sinks.ask({ ask: 'expect', jobs: JOBS });
      const api = await startOurApi(redis, { onLine });
      const worker = await startReadyWorker(redis, { upstreamUrl: urls.upstream, onLine });
      const { url, headers } = api;
      const body = JSON.stringify(chatJob(urls.receiver));
      await load.ask({ url, headers, path: '/v1/jobs', body, connections: 8, count: JOBS });
      await Promise.race([sinks.ask({ ask: 'last' }), worker.broken]);
      await Promise.all([api.stop(), worker.stop()]);
      const each = [...events].map(([event, count]) => `${event} ${(count / JOBS).toFixed(2)}`).sort();
      figures.push([...events.values()].reduce((sum, count) => sum + count, 0) / JOBS);
      notes = [each.join(' · ')];
      say(`round ${round}/${rounds}: ${figures.at(-1)?.toFixed(2)} lines (${notes[0]})`);
    }
    return [{ figures, notes }];
  },
};
