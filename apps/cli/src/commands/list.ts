import type { Job, JobFilter } from '@grsai-jobs/client';
import { defineCommand, option } from '../command.ts';
import { filterOptions, filterQuery, type JobFilters, queryOf } from '../filters.ts';
import { first, PAGE } from '../first.ts';
import { SHARED } from '../job-options.ts';
import { jobColumns } from '../output/job-text.ts';
import { words } from '../values.ts';

interface Options extends JobFilters {
  stage?: string[];
  limit: number;
  all?: boolean;
  allTenants?: boolean;
  tenant?: string;
  signature?: string;
}

const OPERATORS = 'For operators:';

export const list = defineCommand<Options>({
  usage: 'list',
  about: 'List jobs, the newest first',
  examples: [
    ['list', 'the newest 20'],
    ['list --status failed,expired --since 1d', 'what went wrong in the last day'],
    ['list --metadata order=A-17 --all --json | jq -r .id', 'the ids of all jobs of an order'],
  ],
  options: [
    ...filterOptions(),
    option('--stage <list>', 'submitting, generating, storing: where a running job is', words),
    SHARED.limit(),
    option('--all', 'show all of them'),
    option('--all-tenants', 'jobs of all tenants').helpGroup(OPERATORS),
    SHARED.tenant().helpGroup(OPERATORS),
    SHARED.signature().helpGroup(OPERATORS),
  ],
  run: async ({ client, out, host }, options) => {
    const { all, limit, tenant, signature, stage } = options;
    const most = all ? Number.POSITIVE_INFINITY : limit;
    const filter: JobFilter = { ...filterQuery(options), stage: stage as JobFilter['stage'], limit: Math.min(most, PAGE) };
    const columns = jobColumns(host.now());
    if (options.allTenants || tenant !== undefined || signature !== undefined) {
      const query = { ...queryOf(filter), tenant, signature };
      const jobs = client.list<Job & { tenant: string }>('/admin/v1/jobs', query);
      await out.rows(first(most, jobs), [{ head: 'TENANT', cell: (job) => job.tenant }, ...columns], 'No jobs.');
    } else {
      await out.rows(first(most, client.jobs.list(filter)), columns, 'No jobs.');
    }
    return 'ok';
  },
});
