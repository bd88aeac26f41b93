import { GrsaiJobs, textOf } from '@grsai-jobs/client';

const client = new GrsaiJobs();
const job = await client.jobs.run(
  { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'Say hello' }] } },
  { onProgress: ({ status, progress }) => console.log(status, progress), timeoutMs: 600_000 },
);
console.log(textOf(job));
