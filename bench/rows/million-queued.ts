import { randomUUID } from 'node:crypto';
import { type AccountLimits, createJobStore } from '@grsai-jobs/job-store';
import { waitFor } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { startAsked } from '../lib/children.ts';
import { startOurApi, startReadyWorker } from '../lib/ours.ts';
import { settledMemory, startOwnRedis } from '../lib/redis.ts';
import type { Row } from '../lib/row.ts';
import { median, quantile } from '../lib/sample.ts';
import type { BatchLoadQuestion } from '../stand-ins/batch-load.ts';

const TENANTS = 20;
const LINES = 50_000;
/** So many of a room have a queue entry at a time. */
const SEATS = 100;
const CALLS = 5000;
const LIMITS: AccountLimits = { maxInFlight: 1_000_000, callReserve: 0, callSlots: 0, rpm: 0 };

/** All jobs stand in Redis, committed and open; then calls begin, one after another, as workers begin them. */
export const millionQueued: Row = {
  name: 'million-queued',
  measures: [
    {
      what: `${(TENANTS * LINES).toLocaleString('en').replaceAll(',', ' ')} queued jobs of ${TENANTS} tenants, 500-byte input: Redis memory`,
      against: '–',
      unit: 'MiB',
      aim: { is: 'at most', value: 2048 },
    },
    { what: 'the same: to begin a call, p99', against: '–', unit: 'ms', aim: { is: 'at most', value: 5 } },
  ],
  rounds: 1,
  seconds: 150,
  async run({ rounds, say }) {
    const memory: number[] = [];
    const begins: number[] = [];
    const notes: string[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const { mib, times } = await oneRound(say);
      memory.push(mib);
      begins.push(quantile(times, 0.99));
      notes.push(
        `to begin a call: p50 ${median(times).toFixed(2)} ms, the longest ${Math.max(...times).toFixed(1)} ms of ${times.length}`,
      );
    }
    return [{ figures: memory, notes }, { figures: begins }];
  },
};

async function oneRound(say: (line: string) => void): Promise<{ mib: number; times: number[] }> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startOwnRedis());
  const client = new Redis(redis.url);
  stack.defer(() => client.disconnect());
  const store = createJobStore({ redis: client, prefix: 'gj', clock: Date });
  await store.pauses.put('call', { reason: 'operator', since: Date.now(), detail: 'bench', state: 'paused' });
  const load = startAsked<BatchLoadQuestion>(new URL('../stand-ins/batch-load.ts', import.meta.url));
  stack.defer(() => load.stop());
  const api = await startOurApi(redis);
  stack.defer(() => api.stop());
  const worker = await startReadyWorker(redis, {});
  stack.defer(() => worker.stop());
  await load.ask({ ask: 'prepare', lines: LINES });
  for (let n = 1; n <= TENANTS; n += 1) {
    const headers = await api.headersOf(`tenant-${n}`);
    await Promise.race([load.ask({ ask: 'send', url: api.url, headers }), worker.broken]);
    const open = async () => (await store.rooms.standing('call')).jobs >= n * (LINES - SEATS);
    await waitFor(open, { timeoutMs: 120_000, everyMs: 50, what: `the jobs of ${n} tenants to be open` });
    if (n % 5 === 0) say(`${n * LINES} jobs are queued`);
  }
  await worker.stop();
  const mib = (await settledMemory(client)) / 1024 ** 2;
  say(`${mib.toFixed(0)} MiB`);

  // As workers do it: each call that begins lets others in, which come up next.
  const entries = [...(await store.rooms.letIn('call', LIMITS))];
  const times: number[] = [];
  while (times.length < CALLS) {
    const entry = entries.shift() ?? (await store.rooms.letIn('call', LIMITS))[0];
    if (entry === undefined) break;
    const began = performance.now();
    const started = await store.transitions.startCall(entry, { token: randomUUID(), limitMs: 60_000 }, LIMITS);
    times.push(performance.now() - began);
    if ('letIn' in started) entries.push(...started.letIn);
  }
  return { mib, times };
}
