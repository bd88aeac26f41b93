import { GrsaiJobs, textOf } from '@grsai-jobs/client';

const client = new GrsaiJobs();

// Rows of a database, as they come: they are read as fast as they are sent.
async function* items() {
  for (const word of ['lighthouse', 'boat', 'kite']) {
    const messages = [{ role: 'user' as const, content: `A sentence about a ${word}, please` }];
    yield { custom_id: word, type: 'chat' as const, input: { model: 'gemini-3.1-pro', messages } };
  }
}

const batch = await client.batches.create(items(), {
  // After a crash the same call with the same key goes on with the same batch.
  idempotencyKey: `words-${new Date().toISOString().slice(0, 10)}`,
  on_invalid: 'skip',
  metadata: { sheet: '2' },
  onProgress: (sent) => console.log(`${sent.items} items, ${sent.bytes} bytes`),
});
for await (const { line, errors } of client.batches.errors(batch.id)) console.log(`line ${line}: ${errors[0]?.message}`);
const { counts } = await client.batches.wait(batch.id);
if (counts.failed > 0) {
  await client.batches.retryFailed(batch.id);
  await client.batches.wait(batch.id);
}
for await (const row of client.batches.results(batch.id, { status: 'succeeded' })) console.log(row.custom_id, textOf(row));
