import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { forEachId } from '../each.ts';
import { SHARED } from '../job-options.ts';
import { plural } from '../output/format.ts';

export const deleteJobs = defineCommand<{ yes?: boolean }>({
  usage: 'delete <job...>',
  about: 'Erase ended jobs: input, output and stored images',
  examples: [['delete job_01KB… --yes', 'without being asked']],
  options: [SHARED.yes()],
  run: async (context, { yes }, ids) => {
    const sure = await confirm(context, `Erase ${plural(ids.length, 'job')} with all that is stored of it?`, yes);
    if (!sure) return 'failed';
    return await forEachId(context, ids, async (id) => {
      await context.client.jobs.delete(id);
      await context.out.row({ id, deleted: true }, () => `${id} deleted`);
    });
  },
});
