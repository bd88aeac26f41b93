import { type GrsaiJobs, GrsaiJobsError, type Job } from '@grsai-jobs/client';
import { defineCommand } from '../command.ts';
import { jobText, shownBy } from '../output/job-text.ts';

/**
 * A job of the tenant of the key, else one of any tenant: operators come here with the ids that `failures` shows. To those who
 * are none the first refusal is reported.
 */
async function jobOf(client: GrsaiJobs, id: string): Promise<Job & { tenant?: string }> {
  try {
    return await client.jobs.get(id);
  } catch (refusal) {
    if (!(refusal instanceof GrsaiJobsError) || (refusal.status !== 404 && refusal.status !== 403)) throw refusal;
    const path = `/admin/v1/jobs/${encodeURIComponent(id)}`;
    return await client.request<Job & { tenant: string }>('GET', path).catch((error: unknown) => {
      throw error instanceof GrsaiJobsError ? refusal : error;
    });
  }
}

export const get = defineCommand<object>({
  usage: 'get <job>',
  about: 'Show a job with its result, its error and its attempts',
  details: 'With the key of an operator a job of any tenant.',
  examples: [
    ['get job_01KB…', 'on a page'],
    ["get job_01KB… --json | jq -r '.result.images[].url'", 'links, signed afresh each time'],
  ],
  run: async ({ client, out, host }, _options, [id = '']) => {
    await out.value(await jobOf(client, id), (job, paint) => jobText(job, paint, shownBy(host)));
    return 'ok';
  },
});
