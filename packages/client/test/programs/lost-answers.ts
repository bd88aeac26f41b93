/** For e2e/client.test.ts: every POST of the client, over a connection that loses requests and answers. */
import { type BatchItem, GrsaiJobs } from '@grsai-jobs/client';

const client = new GrsaiJobs({}, { random: () => 0 });
const messages = [{ role: 'user' as const, content: 'Say hello' }];
const input = { model: 'gemini-3.1-pro', messages };
const items: BatchItem[] = ['a', 'b'].map((custom_id) => ({ custom_id, type: 'chat', input }));

const job = await client.jobs.run({ type: 'chat', input });
const refused = { type: 'chat' as const, input: { model: 'no-such-model', messages } };
const failed = await client.jobs.wait((await client.jobs.create(refused)).id);
await client.jobs.retry(failed.id);
const retried = await client.jobs.wait(failed.id);
const slow = await client.jobs.create({ type: 'image', input: { model: 'nano-banana-2', prompt: 'slow [[task-ms=60000]]' } });
await client.jobs.cancel(slow.id);
const canceled = await client.jobs.wait(slow.id);

const batch = await client.batches.create([...items, { custom_id: 'c', ...refused }]);
const { status, counts } = await client.batches.wait(batch.id);
const { retrying, in_round } = await client.batches.retryFailed(batch.id);
const again = await client.batches.wait(batch.id);
const rows = [];
for await (const row of client.batches.results(batch.id)) rows.push([row.custom_id, row.status]);
const image = { type: 'image' as const, input: { model: 'nano-banana-2', prompt: 'slow [[task-ms=60000]]' } };
const slowBatch = await client.batches.create([{ custom_id: 'd', ...image }]);
await client.batches.cancel(slowBatch.id);
const canceledBatch = await client.batches.wait(slowBatch.id);

await client.webhooks.recover({ url: 'https://receiver.example/', since: new Date(Date.now() - 60_000).toISOString() });
const rotated = await client.webhooks.rotateSecret().catch((error: Error) => error.name);
console.log(
  JSON.stringify({
    job: [job.id, job.status],
    runs: [failed.run, retried.run],
    canceled: [canceled.status, canceledBatch.status],
    batch: [batch.id, status, counts.failed, retrying, in_round, again.round],
    rows,
    rotated,
  }),
);
