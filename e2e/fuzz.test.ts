import { randomInt } from 'node:crypto';
import { Agent } from 'node:http';
import { waitFor } from '@grsai-jobs/testkit';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import pMap from 'p-map';
import { expect, onTestFinished, test } from 'vitest';
import { changed } from './fuzz/changes.ts';
import { readingRequests, type Sent, shownRequests, takenRequests } from './fuzz/requests.ts';
import { type Answered, send } from './fuzz/send.ts';
import { misfits } from './openapi/document.ts';
import { chat, type Stack, startStack } from './stack.ts';

/** Bodies that have to be taken, as many requests with something wrong, and some that only read. */
const TAKEN = 1275;
const CHANGED = 1275;
const READING = 100;
const CONNECTIONS = 16;
/** A machine that is busy with other things gets more: a list that looks at 2 000 records takes dozens of round trips. */
const SLOWEST = { ms: 5000, p95s: 12 };

/** What the service has told of, so that paths can name it and nothing else is left at the end. */
interface Told {
  jobs: string[];
  batches: string[];
  lines: number;
  idempotencyKeys: Set<string>;
}

/** What stands in the path of a request. What would delete something names nothing that is there. */
function pathOf({ path, method, pick }: Sent, { jobs, batches }: Told): string {
  const one = (list: readonly string[], otherwise: string) =>
    method === 'DELETE' || list.length === 0 ? otherwise : (list[pick % list.length] ?? otherwise);
  const job = one(jobs, 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D');
  const batch = one(batches, 'batch_01K9ZW0D5E7F9G1H3J5K7M9N1P');
  const ids: Readonly<Record<string, string>> = {
    jobs: job,
    batches: batch,
    'webhook-deliveries': `evt_${job.slice(4)}_1_job_succeeded`,
    keys: 'key_6f1d0c2b7d9a1e3344aa55cc',
    'bulk-actions': 'bulk_01K9ZV5W3N8Q2R4T6V8X0Z2B4D',
  };
  return path
    .replaceAll(/\/([a-z-]+)\/\{id\}/g, (_, kind: string) => `/${kind}/${ids[kind] ?? job}`)
    .replaceAll('{n}', '0')
    .replaceAll('{tenant}', 'admin')
    .replaceAll('{name}', 'submit');
}

/** What is wrong with an answer. */
function complaints({ located, change, method }: Sent, answer: Answered): string[] {
  const { status, type, text, requestId } = answer;
  if (requestId === undefined) return ['has no request id'];
  if (status >= 500) return [`answered ${status} ${text.slice(0, 300)}`];
  if (status >= 400) {
    if (change === null && located.operation.requestBody !== undefined) return [`answered ${status} ${text.slice(0, 500)}`];
    if (method === 'HEAD') return [];
    if (type !== 'application/problem+json') return [`refused as ${type}`];
    const problem = JSON.parse(text) as { status: number; code: string; request_id: string };
    return problem.status === status && problem.code !== '' && problem.request_id === requestId
      ? []
      : [`told ${text.slice(0, 300)} with ${status} and ${requestId}`];
  }
  if (change !== null) return [];
  const documented = located.operation.responses[String(status)];
  if (documented === undefined) return [`answered ${status}, which is not documented`];
  const kinds = Object.keys(documented.content ?? {});
  if (kinds.length === 0 || type === 'text/event-stream') return [];
  if (!kinds.includes(type)) return [`${status} came as ${type}, not ${kinds.join(' or ')}`];
  if (!type.endsWith('json') || type === 'application/x-ndjson') return [];
  return misfits([...located.at, 'responses', String(status), 'content', type, 'schema'], JSON.parse(text));
}

/** Remembers what an answer told of. */
function remember(told: Told, { located }: Sent, answer: Answered, key: string): void {
  const id = located.operation.operationId;
  if ((id !== 'createJob' && id !== 'createBatch') || (answer.status !== 202 && answer.status !== 200) || answer.text === '')
    return;
  const made = JSON.parse(answer.text) as { id?: string; object?: string; counts?: { total: number } };
  if (made.id === undefined) return;
  told.idempotencyKeys.add(key);
  if (id === 'createJob') told.jobs.push(made.id);
  else {
    told.batches.push(made.id);
    told.lines += made.counts?.total ?? 0;
  }
}

/** What a request may have left in Redis. */
async function leftIn(redis: Redis): Promise<{ jobs: number; batches: string[]; idempotencyKeys: string[] }> {
  const keys = await redis.keys('{gj}:*');
  const rest = (pattern: RegExp) => keys.flatMap((key) => pattern.exec(key)?.[1] ?? []).sort();
  return {
    jobs: rest(/^\{gj\}:job:(job_\w+)$/).length,
    batches: rest(/^\{gj\}:batch:(batch_\w+)$/),
    // One key may be used on both routes.
    idempotencyKeys: [...new Set(rest(/^\{gj\}:idem:[^:]+:[^:]+:(.*)$/))],
  };
}

async function fuzzed(
  stack: Stack,
  requests: readonly Sent[],
  told: Told,
): Promise<{ wrong: string[]; statuses: Map<number, number> }> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  onTestFinished(() => agent.destroy());
  const { key: tenantKey } = await stack.admin.post<{ key: string }>('/admin/v1/keys', {
    tenant: 'fuzz',
    name: 'fuzz',
    scopes: ['jobs:read', 'jobs:write', 'webhooks:write'],
  });
  const wrong: string[] = [];
  const statuses = new Map<number, number>();
  const times: { ms: number; about: string }[] = [];
  const sendOne = async (sent: Sent, n: number): Promise<void> => {
    const key = `fuzz-${n}`;
    const bearer = sent.path.startsWith('/admin') ? stack.admin.key : tenantKey;
    const headers = { authorization: `Bearer ${bearer}`, 'idempotency-key': key };
    const path = pathOf(sent, told);
    const about = `request ${n}, ${sent.change ?? 'valid'}: ${sent.method} ${path.slice(0, 100)} ${JSON.stringify(sent.query).slice(0, 200)} ${String(sent.text ?? '').slice(0, 500)}`;
    try {
      const answer = await send({ agent, url: stack.url, path, sent, headers });
      // Wrong keys are made to wait on purpose.
      if (answer.status !== 401) times.push({ ms: answer.ms, about });
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      remember(told, sent, answer, sent.headers['idempotency-key'] ?? key);
      wrong.push(...complaints(sent, answer).map((why) => `${about}\n  ${why}`));
    } catch (error) {
      wrong.push(`${about}\n  no answer: ${String(error)}`);
    }
  };
  await pMap(requests, sendOne, { concurrency: CONNECTIONS });
  times.sort((a, b) => a.ms - b.ms);
  const slowest = Math.max(SLOWEST.ms, SLOWEST.p95s * (times[Math.floor(times.length * 0.95)]?.ms ?? 0));
  wrong.push(...times.filter(({ ms }) => ms > slowest).map(({ ms, about }) => `${about}\n  took ${Math.round(ms)} ms`));
  return { wrong, statuses };
}

test('when thousands of requests are made up from the document then each has its answer, and a refusal leaves nothing', async () => {
  // Another run repeats this one with FUZZ_SEED; what it sends is the same, how the answers fall together is not.
  const seed = Number(process.env['FUZZ_SEED'] ?? randomInt(2 ** 31));
  const stack = await startStack({ emulator: { taskMs: 200, chatMs: 1 }, quiet: true, redis: { appendonly: 'no' } });
  const redis = new Redis(stack.redis.url);
  onTestFinished(() => redis.disconnect());
  const taken = takenRequests(stack.receiver.url);
  const wrongOnes = changed(fc.oneof({ weight: 2, arbitrary: taken }, { weight: 1, arbitrary: shownRequests }));
  const requests = [
    ...fc.sample(taken, { seed, numRuns: TAKEN }),
    ...fc.sample(wrongOnes, { seed: seed + 1, numRuns: CHANGED }),
    ...fc.sample(readingRequests, { seed: seed + 2, numRuns: READING }),
  ];
  // Each kind beside the others.
  const order =
    fc.sample(fc.shuffledSubarray([...requests.keys()], { minLength: requests.length }), { seed, numRuns: 1 })[0] ?? [];
  const told: Told = { jobs: [], batches: [], lines: 0, idempotencyKeys: new Set() };
  const { wrong, statuses } = await fuzzed(
    stack,
    order.map((index) => requests[index] as Sent),
    told,
  );
  const repeat = `FUZZ_SEED=${seed} repeats this`;
  console.log(`${requests.length} requests; ${repeat}; ${JSON.stringify(Object.fromEntries(statuses))}`);
  expect(wrong, `${wrong.length} are wrong; ${repeat}`).toEqual([]);
  expect(told.jobs.length + told.batches.length).toBeGreaterThan(TAKEN * 0.8);
  const expected = {
    jobs: new Set(told.jobs).size + told.lines,
    batches: [...new Set(told.batches)].sort(),
    idempotencyKeys: [...told.idempotencyKeys].sort(),
  };
  // What was written of refused batches is erased by the worker, behind their answers.
  const isErased = async () => {
    const { jobs, batches } = await leftIn(redis);
    return jobs <= expected.jobs && batches.length <= expected.batches.length;
  };
  await waitFor(isErased, { timeoutMs: 60_000, what: 'refused batches to be gone' });
  expect(await leftIn(redis), repeat).toEqual(expected);
  const known = [...told.jobs, ...told.batches];
  const strangers = (await stack.s3.keys()).filter((key) => key.includes('/inputs/') && !known.some((id) => key.includes(id)));
  expect(strangers, repeat).toEqual([]);
  // Whatever was taken has ended nothing: the next job goes through.
  const { id } = await stack.tenant.post<{ id: string }>('/v1/jobs', chat(stack.receiver));
  expect((await stack.tenant.finished(id)).status).toBe('succeeded');
  expect([stack.api.running, stack.worker.running]).toEqual([true, true]);
}, 300_000);
