import type { Job } from '@grsai-jobs/client';
import { OUTAGE_MS } from '../client.ts';
import { defineCommand, option } from '../command.ts';
import { eventText, followHint } from '../follow-job.ts';
import { SHARED } from '../job-options.ts';
import { endText, resultText, shownBy } from '../output/job-text.ts';
import { whole } from '../values.ts';
import { patiently } from '../wait.ts';

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
    const { client, out, hint, host } = context;
    const job = await patiently(host, { timeoutS: timeout, goOn: followHint(host, id) }, async (signal): Promise<Job> => {
      const events = client.jobs.events(id, { after, signal, outageMs: OUTAGE_MS });
      for await (const event of events) await out.row(event, eventText);
      return await client.jobs.get(id, { signal });
    });
    if (!out.json) {
      hint(endText(job, out.paint, shownBy(host)));
      await out.row(job, () => resultText(job, host.stdout.isTTY === true));
    }
    return job.status === 'succeeded' ? 'ok' : 'failed';
  },
});
