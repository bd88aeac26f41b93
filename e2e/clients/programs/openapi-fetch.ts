/** What a caller writes with openapi-typescript and openapi-fetch: one job, a batch as JSON and one as lines, and their results. */
import createClient from 'openapi-fetch';
import type { components, paths } from '../generated/openapi-typescript.ts';

type BatchItem = components['schemas']['BatchItem'];
type BatchResult = components['schemas']['BatchResult'];
type WebhookEvent = components['schemas']['WebhookEvent'];

const client = createClient<paths>({
  baseUrl: process.env['API'] ?? '',
  headers: { authorization: `Bearer ${process.env['KEY']}` },
});

function dataOf<T>({ data, error }: { data?: T; error?: components['schemas']['Problem'] }): T {
  if (data === undefined) throw new Error(error?.detail);
  return data;
}

async function resultsOf(id: string): Promise<BatchResult[]> {
  const path = { id };
  while (dataOf(await client.GET('/v1/batches/{id}', { params: { path } })).status === 'running')
    await new Promise((resolve) => setTimeout(resolve, 100));
  const text = dataOf(await client.GET('/v1/batches/{id}/results', { params: { path }, parseAs: 'text' }));
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as BatchResult);
}

const messages = [{ role: 'user' as const, content: 'Say hello' }];
const job = dataOf(
  await client.POST('/v1/jobs', {
    body: { type: 'chat', input: { model: 'gemini-3.1-pro', messages } },
    params: { header: { Prefer: 'wait=30', 'Idempotency-Key': 'generated-1' } },
  }),
);

const asJson = dataOf(
  await client.POST('/v1/batches', {
    body: {
      defaults: { type: 'image', input: { model: 'nano-banana-2' }, expires_in_s: 600 },
      items: [
        { custom_id: 'hello', type: 'chat', input: { model: 'gemini-3.1-pro', messages } },
        { custom_id: 'boat', via: 'generations', input: { prompt: 'a paper boat' } },
      ],
    },
  }),
);

const items: BatchItem[] = ['a', 'b'].map((custom_id) => ({
  custom_id,
  type: 'chat',
  input: { model: 'gemini-3.1-pro', messages },
}));
const asLines = dataOf(
  await client.POST('/v1/batches', {
    body: items.map((item) => `${JSON.stringify(item)}\n`).join(''),
    bodySerializer: (lines) => lines as string,
    headers: { 'content-type': 'application/x-ndjson' },
  }),
);

/** Compiles only where the type of an event says what is in it. */
export const about = (event: WebhookEvent): string =>
  event.type === 'batch.completed' ? `batch ${event.data.status}` : `${event.type} ${event.data.id}`;

const refused = await client.POST('/v1/jobs', { body: { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [] } } });
console.log(
  JSON.stringify({
    job: job.status,
    rows: [...(await resultsOf(asJson.id)), ...(await resultsOf(asLines.id))].map(({ custom_id, status }) => [custom_id, status]),
    refused: refused.error?.code,
  }),
);
