import { choice, defineCommand, option } from '../command.ts';
import { finish } from '../finish.ts';
import { SHARED } from '../job-options.ts';

export const retry = defineCommand<{ mode?: 'resume' | 'resubmit'; wait?: boolean; timeout?: number }>({
  usage: 'retry <job>',
  about: 'Run a failed, expired or canceled job again',
  details: `Without --mode the service resumes where something paid for is left, and submits anew else. A job that ended as submit_unknown may have been paid for already: only --mode resubmit runs it again.`,
  examples: [
    ['retry job_01KB… --wait', 'go on in the cheapest way, and print the result'],
    ['retry job_01KB… --mode resubmit', 'pay again'],
  ],
  options: [
    choice('--mode <mode>', 'resume never pays, resubmit pays anew', ['resume', 'resubmit']),
    option('-w, --wait', 'follow it to its end and print the result'),
    SHARED.timeout(),
  ],
  run: async (context, { mode, wait, timeout }, [id = '']) => {
    const job = await context.client.jobs.retry(id, { mode });
    context.hint(`${job.id} runs again (run ${job.run}).`);
    if (wait) return await finish(context, job, timeout);
    await context.out.value(job, () => job.id);
    return 'ok';
  },
});
