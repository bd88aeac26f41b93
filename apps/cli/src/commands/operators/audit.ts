import type { AuditLineView } from '@grsai-jobs/jobs';
import { defineCommand, option } from '../../command.ts';
import { firstOf } from '../../first.ts';
import { SHARED } from '../../job-options.ts';
import type { Column } from '../../output/table.ts';

const columns: Column<AuditLineView>[] = [
  { head: 'AT', cell: ({ at }) => at },
  { head: 'WHO', cell: ({ key }) => key.name },
  { head: 'ACTION', cell: ({ action }) => action },
  { head: 'TARGET', cell: ({ target }) => target },
  {
    head: 'OUTCOME',
    cell: ({ outcome }) => outcome,
    style: (paint, text, { outcome }) => paint(outcome === 'done' ? 'green' : 'red', text),
  },
  { head: 'REASON', cell: ({ reason }) => reason, shrinks: true },
  { head: 'DETAIL', cell: ({ detail }) => detail, shrinks: true, yields: 1 },
];

export const audit = defineCommand<{ who?: string; action?: string; target?: string; limit: number }>({
  usage: 'audit',
  about: 'What operators did, the newest first',
  examples: [
    ['audit', 'the newest 20'],
    ['audit --action queue.change --target submit', 'who paused it, and why'],
  ],
  options: [
    option('--who <key>', 'id or name of a key'),
    option('--action <name>', 'such as job.requeue, queue.change, key.create'),
    option('--target <id>', 'what was changed'),
    SHARED.limit(),
  ],
  run: async ({ client, out }, { who, action, target, limit }) => {
    await out.rows(
      firstOf<AuditLineView>(client, '/admin/v1/audit', { who, action, target }, limit),
      columns,
      'Nothing was done.',
    );
    return 'ok';
  },
});
