import { type BulkAction, leftOf, sumOf } from '@grsai-jobs/job-store';
import { type BulkActionView, type BulkDryRunView, rfc3339 } from '@grsai-jobs/jobs';
import type { BulkPreview } from './bulk-preview.ts';

/** How far a bulk action has come. */
export function bulkView(action: BulkAction, now: number): BulkActionView {
  const { matched, done, skipped, failed, status, phase, rate_per_min } = action;
  const running = status === 'running';
  const minutes = Math.max(1 / 60, ((action.finished_at ?? now) - action.since) / 60_000);
  return {
    id: action.id,
    object: 'bulk_action',
    action: action.action,
    status,
    counting: running && phase === 'count',
    dry_run: false,
    counts: { matched, done, skipped: sumOf(skipped), failed: sumOf(failed) },
    skipped,
    failed,
    rate_per_min,
    observed_rate_per_min: Math.round(((done - action.done_then) / minutes) * 10) / 10,
    eta_s: running && phase === 'act' ? Math.ceil((leftOf(action) / rate_per_min) * 60) : null,
    include_unknown: action.include_unknown,
    reason: action.reason,
    key: { id: action.key_id, name: action.key_name },
    created_at: rfc3339(action.created_at),
    finished_at: rfc3339(action.finished_at),
  };
}

/** What it would do. */
export const previewView = (
  action: BulkAction['action'],
  { matched, would, skipped, signatures, complete }: BulkPreview,
): BulkDryRunView => ({
  object: 'bulk_action',
  action,
  status: 'dry_run',
  dry_run: true,
  counts: { matched, skipped: sumOf(skipped), ...would },
  would,
  skipped,
  signatures,
  complete,
});
