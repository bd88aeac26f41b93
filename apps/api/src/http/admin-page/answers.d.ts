import type { AdminJobDetailView, AdminJobView } from '@grsai-jobs/jobs';

/** What the admin API answers. `openapi.json` is the whole of it. */
export type {
  ApiKeyView as Key,
  AuditLineView as AuditLine,
  BulkActionView as BulkAction,
  BulkDryRunView as DryRun,
  FailureGroupView as FailureGroup,
  FailureListView as FailureList,
  OverviewView as Overview,
  PauseView as Pause,
  QueueEntryView as QueueEntry,
  QueueView as Queue,
} from '@grsai-jobs/jobs';

export interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

export interface Image {
  index: number;
  url: string;
  content_type: string;
  bytes: number;
  width: number | null;
  height: number | null;
  key: string;
}

/** A chat's result is whatever upstream answered: the page shows it as it is. */
interface Shown {
  result: { images?: Image[]; lost?: { index: number; reason: string }[] } | null;
}

export type Job = AdminJobView & Shown;
export type JobDetail = AdminJobDetailView & Shown;
export type Delivery = JobDetail['deliveries'][number];
export type Happening = JobDetail['timeline'][number];
