import type { JobFilter, Query } from '@grsai-jobs/client';
import { choice, option } from './command.ts';
import { instant, pairs, words } from './values.ts';

/** The filters of lists of jobs. */
export interface JobFilters {
  status?: string[];
  type?: string;
  model?: string;
  batch?: string;
  errorCode?: string[];
  metadata?: Record<string, string>;
  since?: string;
  until?: string;
}

export const filterOptions = () => [
  option('--status <list>', 'queued, running, succeeded, failed, canceling, canceled, expired', words),
  choice('--type <type>', 'kind of job', ['chat', 'image']),
  option('--model <name>', 'model'),
  option('--batch <id>', 'jobs of this batch'),
  option('--error-code <list>', 'such as content_rejected,upstream_failed', words),
  option('--metadata <name=value>', 'with this metadata; once for each pair', pairs),
  option('--since <time>', 'created after: 2h (ago), or 2026-05-01T12:00:00Z', instant(Date.now)),
  option('--until <time>', 'created before', instant(Date.now)),
];

/** A filter as the query of the lists for operators. */
export const queryOf = ({ metadata = {}, ...filter }: JobFilter): Query => ({
  ...filter,
  ...Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`metadata.${name}`, value])),
});

/** The same filters as the API names them, which says what is none. */
export const filterQuery = (o: JobFilters): JobFilter => ({
  status: o.status as JobFilter['status'],
  type: o.type as JobFilter['type'],
  model: o.model,
  batch_id: o.batch,
  error_code: o.errorCode,
  metadata: o.metadata,
  created_after: o.since,
  created_before: o.until,
});
