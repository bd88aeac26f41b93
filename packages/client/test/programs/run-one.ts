/** For e2e/client.test.ts: one image, and what is told of it. */
import { GrsaiJobs, imagesOf } from '@grsai-jobs/client';

const job = await new GrsaiJobs().jobs.run(
  { type: 'image', input: { model: 'nano-banana-2', prompt: 'a paper lighthouse' } },
  { onProgress: ({ status }) => console.log(status) },
);
console.log(job.status, imagesOf(job).length);
