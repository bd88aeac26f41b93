import type { Restored } from '@grsai-jobs/client';
import { defineCommand, defineGroup, option } from '../../command.ts';
import { SHARED } from '../../job-options.ts';
import { count } from '../../output/format.ts';
import type { Column } from '../../output/table.ts';
import { instant } from '../../values.ts';

interface Row {
  what: string;
  n: number;
  now: string;
  command?: string;
}

const COLUMNS: Column<Row>[] = [
  { head: 'IN THE BACKUP', cell: ({ what }) => what },
  { head: 'COUNT', cell: ({ n }) => count(n), align: 'right' },
  { head: 'NOW', cell: ({ now }) => now },
  { head: 'COMMAND', cell: ({ command }) => command },
];

/** One line for each kind of what may have been paid for, with the command that is for it. */
const rowsOf = (found: Restored, program: string): Row[] => [
  {
    ...{ what: 'images that waited or were called', n: found.held.images, now: 'held, and looked for in the bucket' },
    command: `${program} suspects fail --type image --reason …`,
  },
  {
    ...{ what: 'chats that waited or were called', n: found.held.chats, now: 'held' },
    command: `${program} suspects run --type chat --reason …`,
  },
  {
    ...{ what: 'of these, lines of batches', n: found.held_lines, now: 'held' },
    command: `${program} suspects run --reason …`,
  },
  {
    ...{ what: 'images with a task', n: found.asked, now: 'the task is asked for' },
    command: `${program} list --status running`,
  },
  {
    ...{ what: 'images with a task that is gone', n: found.too_old, now: 'end as upstream_timeout' },
    command: `${program} failures`,
  },
  {
    what: 'results being stored',
    n: found.storing,
    now: 'stored under the same keys',
    command: `${program} list --status running`,
  },
  { what: 'jobs being canceled', n: found.canceling, now: 'end as canceled', command: `${program} list --status canceling` },
  {
    ...{ what: 'webhooks not delivered', n: found.webhooks, now: 'sent with the ids that they had' },
    command: `${program} deliveries --state pending`,
  },
  {
    ...{ what: 'retries of batches', n: found.called_off.retries, now: 'called off' },
    command: `${program} batch retry-failed <batch>`,
  },
  {
    ...{ what: 'bulk actions that requeue', n: found.called_off.bulk_actions, now: 'aborted' },
    command: `${program} bulk resume <id> --reason …`,
  },
];

const restored = defineCommand<{ at: string; reason: string }>({
  usage: 'restored',
  about: 'Redis was restored from a backup: hold what may have been paid for since, and say what becomes of everything',
  details:
    'Once, after the restore and before the workers start. What waits is held for a decision, tasks are asked for, and results of held images that stand in the bucket are taken from there by a worker. Nothing is called again by itself.',
  examples: [
    ['admin restored --at 2026-11-27T03:00:00Z --reason "the disk of Redis died"', 'the time at which the backup was made'],
  ],
  options: [
    option('--at <time>', 'when the backup was made: 2026-05-01T12:00:00Z, or 2h (ago)', instant(Date.now)).makeOptionMandatory(),
    SHARED.reason(),
  ],
  run: async ({ client, out, hint, host }, json) => {
    const found = await client.request<Restored>('POST', '/admin/v1/restored', { json });
    await out.rows(
      rowsOf(found, host.program).filter(({ n }) => n > 0),
      COLUMNS,
      'Nothing was under way at the time of the backup.',
    );
    hint(`What was accepted after the backup is gone. Start the workers now; ${host.program} suspects shows what is held.`);
    return 'ok';
  },
});

export const admin = defineGroup('admin', 'What the whole installation is told: restored', [restored]);
