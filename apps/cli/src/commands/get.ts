import { ApiProblem } from '../api/problem.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { type Job, jobPath } from '../jobs.ts';
import { jobText } from '../output/job-text.ts';

/**
 * A job of the tenant of the key, else one of any tenant: operators come here with the ids that `failures` shows. To those who
 * are none the first refusal is told.
 */
async function jobOf(api: Context['api'], id: string): Promise<Job & { tenant?: string }> {
  try {
    return await api.get<Job>(jobPath(id));
  } catch (refusal) {
    if (!(refusal instanceof ApiProblem) || (refusal.status !== 404 && refusal.status !== 403)) throw refusal;
    return await api.get<Job & { tenant: string }>(`/admin${jobPath(id)}`).catch((error: unknown) => {
      throw error instanceof ApiProblem ? refusal : error;
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
  run: async ({ api, out, host }, _options, [id = '']) => {
    await out.value(await jobOf(api, id), (job, paint) => jobText(job, paint, host.now()));
    return 'ok';
  },
});
