import { extensionOf, GrsaiJobs, imagesOf } from '@grsai-jobs/client';
import { download } from '@grsai-jobs/client/node';

const client = new GrsaiJobs();
const job = await client.jobs.run(
  { type: 'image', input: { model: 'nano-banana-2', prompt: 'a paper lighthouse' } },
  { onProgress: ({ status, stage, progress }) => console.log(stage ?? status, progress) },
);
for (const image of imagesOf(job)) {
  const { path, bytes } = await download(client, image, `lighthouse-${image.index}.${extensionOf(image)}`);
  console.log(path, bytes);
}
