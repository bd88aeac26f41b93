import { choice, defineCommand, defineGroup } from '../../command.ts';
import type { Context } from '../../context.ts';
import { SHARED } from '../../job-options.ts';
import { ago, count, plural } from '../../output/format.ts';
import type { Column } from '../../output/table.ts';

interface Suspect {
  job_id: string;
  since: string;
}

const columns = (now: number): Column<Suspect>[] => [
  { head: 'JOB', cell: ({ job_id }) => job_id },
  { head: 'HELD', cell: ({ since }) => ago(since, now), align: 'right' },
];

const list = defineCommand<object>({
  usage: 'list',
  about: 'Jobs that may have been paid for: a failover or a restore has forgotten whether their call was made',
  isDefault: true,
  examples: [['suspects', 'those that wait longest']],
  run: async ({ client, out, hint, host }) => {
    const page = await client.request<{ data: Suspect[]; total: number }>('GET', '/admin/v1/suspects');
    await out.rows(page.data, columns(host.now()), 'No suspects.');
    if (page.total > 0)
      hint(
        `${plural(page.total, 'job')} held. Run them: ${host.program} suspects run --reason …; end them as submit_unknown: ${host.program} suspects fail --reason …`,
      );
    return 'ok';
  },
});

interface Decision {
  reason: string;
  type?: string;
}

const TYPE = choice('--type <type>', 'without ids: only those of this type', ['image', 'chat']);

/** Some jobs by their ids, or all of them, some hundreds at a time. */
async function decide(
  { client, out }: Context,
  action: 'run' | 'fail' | 'hold',
  { reason, type }: Decision,
  jobs: readonly string[],
): Promise<'ok'> {
  let decided = 0;
  for (;;) {
    const json = { action, reason, ...(jobs.length > 0 ? { jobs } : type === undefined ? {} : { type }) };
    const answer = await client.request<{ decided: number; left: number }>('POST', '/admin/v1/suspects', { json });
    decided += answer.decided;
    if (action === 'hold' || jobs.length > 0 || answer.left === 0 || answer.decided === 0) {
      await out.value(
        { decided, left: answer.left },
        () => `${count(decided)} ${action === 'hold' ? 'held' : 'decided'}, ${count(answer.left)} left`,
      );
      return 'ok';
    }
  }
}

const run = defineCommand<Decision>({
  usage: 'run [jobs...]',
  about: 'They were not paid for, or may be paid for once more: they run. Without ids all of them',
  examples: [['suspects run --reason "upstream shows no charge"', 'all of them']],
  options: [TYPE, SHARED.reason()],
  run: async (context, decision, jobs) => await decide(context, 'run', decision, jobs),
});

const fail = defineCommand<Decision>({
  usage: 'fail [jobs...]',
  about: 'They may have been paid for: they end as submit_unknown, and their callers decide. Without ids all of them',
  examples: [['suspects fail job_01KB… --reason "upstream has charged for it"', 'one of them']],
  options: [TYPE, SHARED.reason()],
  run: async (context, decision, jobs) => await decide(context, 'fail', decision, jobs),
});

const hold = defineCommand<Decision>({
  usage: 'hold',
  about: 'Hold every image that is queued now and may not be made twice',
  examples: [['suspects hold --reason "a replica that lagged by minutes became the primary"', 'then look at each']],
  options: [SHARED.reason()],
  run: async (context, decision) => await decide(context, 'hold', decision, []),
});

export const suspects = defineGroup('suspects', 'Jobs that may have been paid for: list, run, fail, hold', [
  list,
  run,
  fail,
  hold,
]);
