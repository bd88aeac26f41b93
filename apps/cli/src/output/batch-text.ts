import type { Batch, BatchLineError } from '@grsai-jobs/client';
import { hasEnded } from '../batches.ts';
import { countsText } from '../follow-batch.ts';
import { ago, between, bytes, costText, count, plural, waitingText } from './format.ts';
import type { Shown } from './job-text.ts';
import { type Paint, paintStatus } from './paint.ts';
import { type Column, facts } from './table.ts';

/** How a batch ended, and what to do next. */
export function batchEndText(batch: Batch, paint: Paint, { now, program }: Shown): string {
  const took = between(batch.created_at, batch.finished_at, now);
  const head = `${batch.id} ${paintStatus(paint, batch.status)} after ${took}: ${countsText(batch.counts)}`;
  return batch.counts.failed === 0 ? head : `${head}\n  Run what failed again: ${program} batch retry-failed ${batch.id}`;
}

/** A whole batch on a page. */
export function batchText(batch: Batch, paint: Paint, now: number): string {
  const file = batch.results_file;
  return [
    `${paint('bold', batch.id)}  ${paintStatus(paint, batch.status)}`,
    facts(
      [
        ['jobs', countsText(batch.counts)],
        ['waits', waitingText(batch.waiting, now)],
        ['left out', batch.invalid_count ? plural(batch.invalid_count, 'bad line') : null],
        ['round', batch.round === 1 ? null : batch.round],
        [
          'metadata',
          Object.entries(batch.metadata)
            .map((pair) => pair.join('='))
            .join(' '),
        ],
        ['created', `${batch.created_at} (${ago(batch.created_at, now)})`],
        ['finished', batch.finished_at && `${batch.finished_at} (after ${between(batch.created_at, batch.finished_at, now)})`],
        ['expires', hasEnded(batch) ? null : batch.expires_at],
        ['webhook', batch.webhook.url && `${batch.webhook.state}, ${batch.webhook.url}`],
        ['cost', costText(batch.cost)],
        ['results', file && `${bytes(file.bytes)}, ${file.url}`],
      ],
      paint,
    ),
  ].join('\n\n');
}

/** The columns of a list of batches. */
export const batchColumns = (now: number): Column<Batch>[] => [
  { head: 'BATCH', cell: ({ id }) => id },
  { head: 'STATUS', cell: ({ status }) => status, style: (paint, text, { status }) => paintStatus(paint, status, text) },
  { head: 'TOTAL', cell: ({ counts }) => count(counts.total), align: 'right' },
  { head: 'OK', cell: ({ counts }) => count(counts.succeeded), align: 'right' },
  {
    head: 'FAILED',
    cell: ({ counts }) => count(counts.failed),
    align: 'right',
    style: (paint, text, { counts }) => (counts.failed > 0 ? paint('red', text) : text),
  },
  { head: 'LIVE', cell: ({ counts }) => count(counts.queued + counts.running), align: 'right' },
  { head: 'CREATED', cell: ({ created_at }) => ago(created_at, now), align: 'right' },
  { head: 'TOOK', cell: (batch) => (hasEnded(batch) ? between(batch.created_at, batch.finished_at, now) : null), align: 'right' },
  {
    head: 'METADATA',
    cell: ({ metadata }) =>
      Object.entries(metadata)
        .map((pair) => pair.join('='))
        .join(' '),
    shrinks: true,
  },
];

/** The columns of a list of lines that could not become jobs. */
export const badLineColumns: Column<BatchLineError>[] = [
  { head: 'LINE', cell: ({ line }) => line, align: 'right' },
  { head: 'CUSTOM ID', cell: ({ custom_id }) => custom_id },
  { head: 'WHERE', cell: ({ errors }) => errors.map(({ pointer }) => pointer).join(', ') },
  { head: 'WHY', cell: ({ errors }) => errors.map(({ message }) => message).join('; '), shrinks: true },
];
