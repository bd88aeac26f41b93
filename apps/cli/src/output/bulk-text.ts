import { ago, count, duration, oneLine } from './format.ts';
import { type Paint, paintStatus } from './paint.ts';
import { type Column, facts, table } from './table.ts';

type Counts = Readonly<Record<string, number>>;

/** A bulk action as the admin API answers it; of a dry run only what it would do. */
export interface BulkAction {
  id?: string;
  action: string;
  status: string;
  /** The jobs are counted first, then acted on. */
  counting?: boolean;
  counts: Counts & { matched: number };
  /** Left alone, by why. */
  skipped: Counts;
  failed?: Counts;
  rate_per_min?: number;
  eta_s?: number | null;
  reason?: string;
  key?: { name: string };
  created_at?: string;
  /** Of a dry run: what the jobs failed of, and whether all of them were looked at. */
  signatures?: { id: string; code: string; stage: string; text: string; count: number }[];
  complete?: boolean;
}

/** How many in all. */
export const sum = (counts: Counts = {}): number => Object.values(counts).reduce((all, n) => all + n, 0);
const words = (name: string): string => name.replaceAll('_', ' ');
const reasons = (counts: Counts = {}): string =>
  Object.entries(counts)
    .map(([name, n]) => `${count(n)} ${words(name)}`)
    .join(', ');

export const progressText = ({ counting, counts: { matched, ...rest } }: BulkAction): string =>
  counting ? `${count(matched)} so far fit` : `${count(matched)} fit: ${reasons(rest)}`;

/** The service goes at a rate of its own, so while it counts there is nothing to draw. */
export const shareOf = ({ counting, counts, skipped, failed }: BulkAction) =>
  counting ? undefined : { done: (counts['done'] ?? 0) + sum(skipped) + sum(failed), total: counts.matched };

const signatureColumns: Column<NonNullable<BulkAction['signatures']>[number]>[] = [
  { head: 'JOBS', cell: (group) => count(group.count), align: 'right' },
  { head: 'CODE', cell: ({ code }) => code },
  { head: 'STAGE', cell: ({ stage }) => stage, yields: 1 },
  { head: 'WHAT', cell: ({ text }) => text, shrinks: true },
  { head: 'SIGNATURE', cell: ({ id }) => id },
];

/** A whole bulk action on a page. */
export function bulkText(action: BulkAction, paint: Paint, width?: number): string {
  const { skipped, failed, counts, eta_s, rate_per_min } = action;
  const { skipped: _skipped, failed: _failed, ...shown } = counts;
  return [
    [action.id, action.action, paintStatus(paint, action.status, words(action.status))].filter(Boolean).join('  '),
    facts(
      [
        ...Object.entries(shown).map(([name, n]) => [words(name), count(n)] as const),
        ['left alone', reasons(skipped)],
        ['failed', reasons(failed)],
        ['rate', rate_per_min && `${count(rate_per_min)} in a minute`],
        ['left', eta_s ? `about ${duration(eta_s * 1000)}` : null],
        ['reason', action.reason && oneLine(`${action.reason} (${action.key?.name ?? ''})`)],
      ],
      paint,
    ),
    action.complete === false ? paint('yellow', 'There are more jobs than were looked at.') : '',
    table(signatureColumns, action.signatures ?? [], { paint, width }),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** The columns of a list of bulk actions. */
export const bulkColumns = (now: number): Column<BulkAction>[] => [
  { head: 'BULK ACTION', cell: ({ id }) => id },
  { head: 'ACTION', cell: ({ action }) => action },
  { head: 'STATUS', cell: ({ status }) => status, style: (paint, text, { status }) => paintStatus(paint, status, text) },
  { head: 'FIT', cell: ({ counts }) => count(counts.matched), align: 'right' },
  { head: 'DONE', cell: ({ counts }) => count(counts['done'] ?? 0), align: 'right' },
  { head: 'LEFT ALONE', cell: ({ skipped }) => count(sum(skipped)), align: 'right', yields: 2 },
  { head: 'FAILED', cell: ({ failed }) => count(sum(failed)), align: 'right' },
  { head: 'CREATED', cell: ({ created_at }) => ago(created_at, now), align: 'right', yields: 1 },
  { head: 'REASON', cell: ({ reason }) => reason, shrinks: true },
];
