import { defineCommand, option } from '../command.ts';
import { filterOptions, filterQuery, type JobFilters } from '../filters.ts';
import { SHARED } from '../job-options.ts';
import type { Job } from '../jobs.ts';
import { jobColumns } from '../output/job-text.ts';

interface Options extends JobFilters {
  limit: number;
  all?: boolean;
}

export const list = defineCommand<Options>({
  usage: 'list',
  about: 'List jobs, the newest first',
  examples: [
    ['list', 'the newest 20'],
    ['list --status failed,expired --since 1d', 'what went wrong in the last day'],
    ['list --metadata order=A-17 --all --json | jq -r .id', 'the ids of all jobs of an order'],
  ],
  options: [...filterOptions(), SHARED.limit(), option('--all', 'show all of them')],
  run: async ({ api, out, host }, options) => {
    const jobs = api.list<Job>('/v1/jobs', filterQuery(options), options.all ? Number.POSITIVE_INFINITY : options.limit);
    await out.rows(jobs, jobColumns(host.now()), 'No jobs.');
    return 'ok';
  },
});
