/** For e2e/client.test.ts: one job and one batch, over a connection that loses the answers to what is sent. */
import { type BatchItem, GrsaiJobs } from '@grsai-jobs/client';

const client = new GrsaiJobs();
const input = { model: 'gemini-3.1-pro', messages: [{ role: 'user' as const, content: 'Say hello' }] };
const items: BatchItem[] = ['a', 'b', 'c'].map((custom_id) => ({ custom_id, type: 'chat', input }));

const job = await client.jobs.run({ type: 'chat', input });
const batch = await client.batches.create(items);
const { status, counts } = await client.batches.wait(batch.id);
const rows = [];
for await (const row of client.batches.results(batch.id)) rows.push([row.custom_id, row.status]);
console.log(JSON.stringify({ job: [job.id, job.status], batch: [batch.id, status, counts.succeeded], rows }));
