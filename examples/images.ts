import { extensionOf, GrsaiJobs, imagesOf } from '@grsai-jobs/client';
import { download } from '@grsai-jobs/client/node';

const client = new GrsaiJobs();
const items = Array.from({ length: Number(process.env['COUNT'] ?? 200) }, (_, n) => ({
  custom_id: `boat-${n}`,
  type: 'image' as const,
  input: { model: 'nano-banana-2', prompt: `a paper boat, number ${n}` },
}));
const batch = await client.batches.create(items, { idempotencyKey: 'boats-1' });
await client.batches.wait(batch.id, { onProgress: ({ counts }) => console.log(`${counts.succeeded} of ${counts.total}`) });
for await (const row of client.batches.results(batch.id)) {
  for (const each of imagesOf(row)) await download(client, each, `boats/${row.custom_id}-${each.index}.${extensionOf(each)}`);
  if (row.error) console.error(row.custom_id, row.error.code, row.error.message);
}
