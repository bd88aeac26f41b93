import { setTimeout as sleep } from 'node:timers/promises';
import { startS3, waitFor } from '@grsai-jobs/testkit';
import { startAsked } from '../lib/children.ts';
import { cpuSince } from '../lib/cpu.ts';
import { memoryOf } from '../lib/memory.ts';
import { startOurApi, startReadyWorker } from '../lib/ours.ts';
import { sampleOf } from '../lib/prometheus.ts';
import { startOwnRedis } from '../lib/redis.ts';
import type { Row } from '../lib/row.ts';
import { median } from '../lib/sample.ts';
import type { EmulatorBooks, EmulatorQuestion } from '../stand-ins/emulator.ts';
import type { LoadQuestion } from '../stand-ins/load.ts';

const TASKS = 10_000;
const WINDOW_S = 10;
/** Longer than a run, so that all of them are alive while it is measured. */
const TASK_MS = 3_600_000;

/** What the worker says of itself. */
const LAG = 'grsai_jobs_nodejs_eventloop_lag_p99_seconds';
const HEAP_USED = 'grsai_jobs_nodejs_heap_size_used_bytes';
const HEAP_TOTAL = 'grsai_jobs_nodejs_heap_size_total_bytes';

const JOB = {
  type: 'image',
  input: { model: 'nano-banana-2', prompt: 'a paper lighthouse on a foggy desk', aspect_ratio: '4:3' },
};

/**
 * The tasks are submitted by the worker itself and then polled by the pace of a kind that nothing is known of: for
 * the first 90 s each of them every 4 to 5 s, which is the most that this number of tasks can ask for. A round is a
 * window of time, in one and the same worker.
 */
export const inFlight: Row = {
  name: 'in-flight',
  measures: [
    {
      what: `${TASKS} image tasks in flight, one worker: its memory at the most`,
      against: '–',
      unit: 'MiB',
      aim: { is: 'at most', value: 400 },
    },
    { what: 'the same: event loop delay, p99 of 10 s', against: '–', unit: 'ms', aim: { is: 'at most', value: 50 } },
    { what: 'the same: CPU of worker and Redis for one poll', against: '–', unit: 'ms' },
  ],
  rounds: 4,
  seconds: 65,
  async run({ rounds, profileDir, say }) {
    await using stack = new AsyncDisposableStack();
    const redis = stack.use(await startOwnRedis());
    const load = startAsked<LoadQuestion>(new URL('../stand-ins/load.ts', import.meta.url));
    stack.defer(() => load.stop());
    const emulator = startAsked<EmulatorQuestion>(new URL('../stand-ins/emulator.ts', import.meta.url));
    stack.defer(() => emulator.stop());
    const upstreamUrl = await emulator.ask<string>({ ask: 'start', options: { taskMs: TASK_MS } });
    const books = () => emulator.ask<EmulatorBooks>({ ask: 'books' });

    const api = await startOurApi(redis);
    stack.defer(() => api.stop());
    const { url, headers } = api;
    await load.ask({ url, headers, path: '/v1/jobs', body: JSON.stringify(JOB), connections: 64, count: TASKS });
    // No image job begins before the object store has kept something.
    const s3 = await startS3();
    stack.defer(() => s3.stop());
    const env = { ...s3.env, GRSAI_MAX_IN_FLIGHT: String(2 * TASKS) };
    const worker = await startReadyWorker(redis, { upstreamUrl, profileDir, env });
    stack.defer(() => worker.stop());
    const idle = memoryOf(worker.pid).rss;
    const began = performance.now();
    const allThere = async () => (await books()).tasks === TASKS;
    await Promise.race([waitFor(allThere, { timeoutMs: 120_000, everyMs: 100, what: `${TASKS} tasks` }), worker.broken]);
    const submitS = (performance.now() - began) / 1000;
    say(`${TASKS} tasks submitted in ${submitS.toFixed(1)} s`);

    // Reading the metrics begins a new window of the worker's own histogram.
    const metrics = async () => {
      const text = await (await fetch(`${worker.url}/metrics`)).text();
      const mib = (name: string) => (sampleOf(text, name) / 1024 ** 2).toFixed(0);
      return { lagMs: sampleOf(text, LAG) * 1000, heap: `${mib(HEAP_USED)} of ${mib(HEAP_TOTAL)} MiB` };
    };
    const memory: number[] = [];
    const lags: number[] = [];
    let heap = '';
    const polls: number[] = [];
    const cpus: { own: number; redis: number }[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      await metrics();
      const before = await books();
      const used = cpuSince({ own: worker.pid, redis: redis.pid, driver: emulator.pid });
      await Promise.race([sleep(WINDOW_S * 1000), worker.broken]);
      const seen = (await books()).polls - before.polls;
      cpus.push(used(seen));
      polls.push(seen / WINDOW_S);
      const shown = await metrics();
      heap = shown.heap;
      lags.push(shown.lagMs);
      memory.push(memoryOf(worker.pid).peak);
      say(
        `round ${round}/${rounds}: ${memory.at(-1)?.toFixed(0)} MiB, p99 ${lags.at(-1)?.toFixed(1)} ms, ${polls.at(-1)?.toFixed(0)} polls/s`,
      );
    }
    const notes = [
      `idle ${idle.toFixed(0)} MiB; at the end ${memoryOf(worker.pid).rss.toFixed(0)} MiB, of its heap ${heap} in use`,
      `${median(polls).toFixed(0)} polls/s at ${median(cpus.map(({ own }) => own)).toFixed(3)} ms of the worker's CPU and ${median(cpus.map(({ redis }) => redis)).toFixed(3)} of Redis' each, wanted are ${(TASKS / 4.5).toFixed(0)}/s (nothing known of the kind, each task every 4–5 s); ${TASKS} tasks submitted in ${submitS.toFixed(1)} s, its memory then counted as well`,
      'the delay is what the worker shows at /metrics; 10 ms of it is the interval of the timer that measures it',
    ];
    return [{ figures: memory, notes }, { figures: lags }, { figures: cpus.map(({ own, redis }) => own + redis) }];
  },
};
