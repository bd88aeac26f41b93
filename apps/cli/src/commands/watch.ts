import { defineCommand, option } from '../command.ts';
import { eventText, followJob } from '../follow-job.ts';
import { SHARED } from '../job-options.ts';
import { endText, resultText } from '../output/job-text.ts';
import { whole } from '../values.ts';

export const watch = defineCommand<{ after?: number; timeout?: number }>({
  usage: 'watch <job>',
  about: 'Show what happens to a job until it has ended',
  details: 'When the connection breaks it goes on where it stopped. With --json a line for each event.',
  examples: [
    ['watch job_01KB…', 'from its first event to its last, then its result'],
    ['watch job_01KB… --json --after 4', 'events after number 4 (seq)'],
  ],
  options: [option('--after <seq>', 'only events after this number', whole), SHARED.timeout()],
  run: async (context, { after, timeout }, [id = '']) => {
    const { out, hint, host } = context;
    const job = await followJob(context, id, {
      timeoutS: timeout,
      ...(after === undefined ? {} : { after }),
      onEvent: async (event) => await out.row(event, eventText),
    });
    if (!out.json) {
      hint(endText(job, out.paint, host.now()));
      await out.row(job, () => resultText(job, host.stdout.isTTY === true));
    }
    return job.status === 'succeeded' ? 'ok' : 'failed';
  },
});
