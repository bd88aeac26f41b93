import { defineCommand } from '../command.ts';
import { type Job, jobPath } from '../jobs.ts';
import { jobText } from '../output/job-text.ts';

export const get = defineCommand<object>({
  usage: 'get <job>',
  about: 'Show a job with its result, its error and its attempts',
  examples: [
    ['get job_01KB…', 'on a page'],
    ["get job_01KB… --json | jq -r '.result.images[].url'", 'links, signed afresh each time'],
  ],
  run: async ({ api, out, host }, _options, [id = '']) => {
    await out.value(await api.get<Job>(jobPath(id)), (job, paint) => jobText(job, paint, host.now()));
    return 'ok';
  },
});
