import type { BulkActionView, BulkDryRunView } from '@grsai-jobs/jobs';
import { ago, count, duration, oneLine } from './format.ts';
import { type Paint, paintStatus } from './paint.ts';
import { type Column, facts, table } from './table.ts';

type Counts = Readonly<Record<string, number>>;

/** How many in all. */
export const sum = (counts: Counts = {}): number => Object.values(counts).reduce((all, n) => all + n, 0);
const words = (name: string): string => name.replaceAll('_', ' ');
const reasons = (counts: Counts = {}): string =>
  Object.entries(counts)
    .map(([name, n]) => `${count(n)} ${words(name)}`)
    .join(', ');

export const progressText = ({ counting, counts: { matched, ...rest } }: BulkActionView): string =>
  counting ? `${count(matched)} so far fit` : `${count(matched)} fit: ${reasons(rest)}`;

/** The service goes at a rate of its own, so while it counts there is nothing to draw. */
export const shareOf = ({ counting, counts, skipped, failed }: BulkActionView) =>
  counting ? undefined : { done: counts.done + sum(skipped) + sum(failed), total: counts.matched };

const signatureColumns: Column<BulkDryRunView['signatures'][number]>[] = [
  { head: 'JOBS', cell: (group) => count(group.count), align: 'right' },
  { head: 'CODE', cell: ({ code }) => code },
  { head: 'STAGE', cell: ({ stage }) => stage, yields: 1 },
  { head: 'WHAT', cell: ({ text }) => text, shrinks: true },
  { head: 'SIGNATURE', cell: ({ id }) => id },
];

const heading = (paint: Paint, { action, status }: { action: string; status: string }, id?: string): string =>
  [id, action, paintStatus(paint, status, words(status))].filter(Boolean).join('  ');

const blocks = (...parts: string[]): string => parts.filter((part) => part !== '').join('\n\n');

/** How far a bulk action is, on a page. */
export function bulkText(action: BulkActionView, paint: Paint): string {
  const { counts, skipped, failed, eta_s, rate_per_min, reason, key } = action;
  const lines = [
    ['matched', count(counts.matched)],
    ['done', count(counts.done)],
    ['left alone', reasons(skipped)],
    ['failed', reasons(failed)],
    ['rate', `${count(rate_per_min)} in a minute`],
    ['left', eta_s ? `about ${duration(eta_s * 1000)}` : null],
    ['reason', oneLine(`${reason} (${key.name})`)],
  ] as const;
  return blocks(heading(paint, action, action.id), facts(lines, paint));
}

/** What a bulk action would do, on a page. */
export function dryRunText(order: BulkDryRunView, paint: Paint, width?: number): string {
  const { counts, would, skipped, complete, signatures } = order;
  const lines = [
    ['matched', count(counts.matched)],
    ...Object.entries(would).map(([name, n]) => [words(name), count(n)] as const),
    ['left alone', reasons(skipped)],
  ] as const;
  return blocks(
    heading(paint, order),
    facts(lines, paint),
    complete ? '' : paint('yellow', 'There are more jobs than were looked at.'),
    table(signatureColumns, signatures, { paint, width }),
  );
}

/** The columns of a list of bulk actions. */
export const bulkColumns = (now: number): Column<BulkActionView>[] => [
  { head: 'BULK ACTION', cell: ({ id }) => id },
  { head: 'ACTION', cell: ({ action }) => action },
  { head: 'STATUS', cell: ({ status }) => status, style: (paint, text, { status }) => paintStatus(paint, status, text) },
  { head: 'FIT', cell: ({ counts }) => count(counts.matched), align: 'right' },
  { head: 'DONE', cell: ({ counts }) => count(counts.done), align: 'right' },
  { head: 'LEFT ALONE', cell: ({ skipped }) => count(sum(skipped)), align: 'right', yields: 2 },
  { head: 'FAILED', cell: ({ failed }) => count(sum(failed)), align: 'right' },
  { head: 'CREATED', cell: ({ created_at }) => ago(created_at, now), align: 'right', yields: 1 },
  { head: 'REASON', cell: ({ reason }) => reason, shrinks: true },
];
