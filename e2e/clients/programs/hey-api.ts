/** The same with a client that @hey-api/openapi-ts has generated. */
import { client } from '../generated/hey-api/client.gen.ts';
import { createBatch, createJob, getBatch, listBatchResults } from '../generated/hey-api/sdk.gen.ts';
import type { BatchResult } from '../generated/hey-api/types.gen.ts';

client.setConfig({ baseUrl: process.env['API'] ?? '', auth: () => process.env['KEY'] ?? '', throwOnError: true });

const messages = [{ role: 'user' as const, content: 'Say hello' }];
const { data: job } = await createJob({
  body: { type: 'chat', input: { model: 'gemini-3.1-pro', messages } },
  headers: { Prefer: 'wait=30' },
  throwOnError: true,
});
const { data: batch } = await createBatch({
  body: {
    defaults: { type: 'image', input: { model: 'nano-banana-2' } },
    items: [
      { custom_id: 'hello', type: 'chat', input: { model: 'gemini-3.1-pro', messages } },
      { custom_id: 'boat', via: 'generations', input: { prompt: 'a paper boat' } },
    ],
  },
  throwOnError: true,
});
const path = { id: batch.id };
while ((await getBatch({ path, throwOnError: true })).data.status === 'running')
  await new Promise((resolve) => setTimeout(resolve, 100));
const { data: lines } = await listBatchResults({ path, parseAs: 'text', throwOnError: true });
const rows = String(lines)
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as BatchResult);
const refused = await createJob({
  body: { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [] } },
  throwOnError: false,
});
console.log(
  JSON.stringify({
    job: job.status,
    rows: rows.map(({ custom_id, status }) => [custom_id, status]),
    refused: (refused.error as { code?: string } | undefined)?.code,
  }),
);
