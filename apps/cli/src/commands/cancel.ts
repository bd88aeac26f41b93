import { defineCommand } from '../command.ts';
import { forEachId } from '../each.ts';
import { paintStatus } from '../output/paint.ts';

export const cancel = defineCommand<object>({
  usage: 'cancel <job...>',
  about: 'Cancel jobs',
  details:
    'A job whose call is in flight is canceling first: the call ends it, as canceled or in the state that it reached. An image task that works upstream may still be charged.',
  examples: [
    ['cancel job_01KB…', 'one'],
    ['list --status queued --all --json | jq -r .id | xargs pnpm jobs cancel', 'all that wait'],
  ],
  run: async (context, _options, ids) =>
    await forEachId(context, ids, async (id) => {
      const job = await context.client.jobs.cancel(id);
      await context.out.row(job, ({ status }, paint) => `${id} ${paintStatus(paint, status)}`);
    }),
});
