import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Batch, line, ndjson, runScript, sendLines, waitFor } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { type Stack, startStack } from './stack.ts';

/**
 * The runbook of docs/operations.md: two thousand jobs fail for three causes, and one operator finds and repairs what can be
 * repaired, with the command line alone.
 */

const SECOND = 1000;
const [REJECTED, POOR, HOMELESS, PAID] = [1430, 300, 230, 40];

const entry = fileURLToPath(new URL('../apps/cli/src/main.ts', import.meta.url));
const page = readFileSync(new URL('../docs/operations.md', import.meta.url), 'utf8');

/** The command line in the hands of an operator; remembers what was typed. */
function createOperator({ url, admin }: Pick<Stack, 'url' | 'admin'>) {
  const typed: string[] = [];
  const type = async (...args: readonly string[]) => {
    typed.push(args.join(' '));
    return await runScript({ entry, args, env: { GRSAI_JOBS_API: url, GRSAI_JOBS_KEY: admin.key } });
  };
  return {
    typed,
    type,
    /** What a command answers with `--json`, one value for each line. */
    ask: async <T>(...args: readonly string[]): Promise<T[]> =>
      (await runScript({ entry, args: [...args, '--json'], env: { GRSAI_JOBS_API: url, GRSAI_JOBS_KEY: admin.key } })).stdout
        .trim()
        .split('\n')
        .map((each) => JSON.parse(each) as T),
  };
}

/** A number as a table shows it. */
const shown = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, '\\s');

interface Group {
  id: string;
  code: string;
  count: number;
  text: string;
}

interface Bulk {
  status: string;
  counts: Record<'matched' | 'done' | 'skipped' | 'failed', number>;
}

async function sendAll(stack: Stack, count: number, make: (n: number) => string): Promise<string> {
  const answer = await sendLines(stack, ndjson(...Array.from({ length: count }, (_, n) => make(n))));
  expect(answer.status).toBe(202);
  return ((await answer.json()) as Batch).id;
}

const imageLine = (id: string, more: object = {}): string =>
  line(id, { type: 'image', input: { model: 'nano-banana-2', prompt: `A lighthouse, ${id}` }, ...more });

const AGAINST_POLICY = `[[fault=F20:as=refused,text=${encodeURIComponent('The prompt violates our content policy.')}]]`;

/** An answer that is too large for the record and goes to S3. */
const longAnswerLine = (id: string): string =>
  line(id, { input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: `${id} [[reply-bytes=20000]]` }] } });

const rejectedLine = (id: string): string =>
  line(id, { input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: `${id} ${AGAINST_POLICY}` }] } });

test('when 2 000 jobs end badly for three causes then an operator finds them, repairs two, runs 530 again at 600 a minute with a stop in between, and nothing is paid for twice', {
  timeout: 400 * SECOND,
}, async () => {
  const stack = await startStack({ quiet: true, emulator: { chatMs: 5, taskMs: 300 }, redis: { appendonly: 'no' } });
  const operator = createOperator(stack);
  const countsOf = async (id: string) => (await stack.tenant.get<Batch>(`/v1/batches/${id}`)).counts;
  const until = async (id: string, what: keyof Batch['counts'], count: number) =>
    await waitFor(async () => (await countsOf(id))[what] === count, {
      timeoutMs: 150 * SECOND,
      everyMs: 200,
      what: `${count} ${what} jobs`,
    });
  const standing = async () =>
    await stack.admin.get<{ jobs: { storing: number }; pauses: { queue: string; reason: string }[] }>('/admin/v1/overview');
  const untilPauses = async (...reasons: readonly string[]) =>
    await waitFor(
      async () => {
        const { pauses } = await standing();
        return [...new Set(pauses.map(({ reason }) => reason))].sort().join() === reasons.join();
      },
      { timeoutMs: 120 * SECOND, everyMs: 200, what: `pauses: ${reasons.join() || 'none'}` },
    );

  // The morning: S3 breaks while pictures are made, callers send what no policy allows, and the credits run out.
  stack.s3.outage(true);
  const paid = await sendAll(stack, PAID, (n) => (n < PAID / 2 ? imageLine(`paid-${n}`) : longAnswerLine(`paid-${n}`)));
  const rejected = await sendAll(stack, REJECTED, (n) => rejectedLine(`bad-${n}`));
  await until(rejected, 'failed', REJECTED);
  await until(paid, 'running', PAID);
  stack.emulator.setCredits(0);
  const poor = await sendAll(stack, POOR, (n) => line(`poor-${n}`, { expires_in_s: 60 }));
  const homeless = await sendAll(stack, HOMELESS, (n) => imageLine(`homeless-${n}`, { expires_in_s: 75 }));
  await untilPauses('balance', 'storage');
  await until(poor, 'expired', POOR);
  await until(homeless, 'expired', HOMELESS);
  await waitFor(async () => (await standing()).jobs.storing === PAID, {
    timeoutMs: 60 * SECOND,
    what: 'all paid results to wait',
  });

  // What is wrong?
  const overview = await operator.type('overview');
  expect(overview.stdout).toMatch(/call +paused[^\n]*balance/);
  expect(overview.stdout).toMatch(/submit +paused[^\n]*storage/);
  const failures = await operator.type('failures');
  expect(failures.stdout).toMatch(new RegExp(`${shown(REJECTED)} +content_rejected +submitting`));
  expect(failures.stdout).toMatch(new RegExp(`${POOR} +upstream_balance +queued`));
  expect(failures.stdout).toMatch(new RegExp(`${HOMELESS} +upstream_balance +queued`));
  expect(failures.stderr).toMatch(new RegExp(`${shown(REJECTED + POOR + HOMELESS)} jobs in 3 groups`));
  const groups = await operator.ask<Group & { sample_error?: unknown }>('failures');
  const groupOf = (count: number): string => groups.find((group) => group.count === count)?.id ?? '';

  // The account is topped up; S3 is not repaired yet. Pictures that were paid for still wait.
  stack.emulator.setCredits(1_000_000);
  await untilPauses('storage');
  const requeue = (signature: string, ...more: readonly string[]) =>
    operator.type('bulk', 'requeue', '--signature', signature, ...more);
  const dry = await requeue(groupOf(POOR), '--reason', 'topped up', '--dry-run');
  expect(dry.stdout).toMatch(new RegExp(`matched +${POOR}\\nresubmit +${POOR}\\n`));
  const first = (await requeue(groupOf(POOR), '--rate', '600', '--reason', 'topped up', '--yes', '--no-wait')).stdout.trim();
  const bulkOf = async (id: string) => await stack.admin.get<Bulk>(`/admin/v1/bulk-actions/${id}`);
  await waitFor(async () => (await bulkOf(first)).counts.done >= 50, { timeoutMs: 30 * SECOND, what: 'some of them' });
  const aborted = await operator.type('bulk', 'abort', first, '--reason', 'is it really the credits?');
  expect(aborted).toMatchObject({ code: 0, stdout: expect.stringContaining('aborted') });
  const stopped = await bulkOf(first);
  expect(stopped.counts.done).toBeLessThan(POOR);
  await until(poor, 'succeeded', stopped.counts.done);
  expect((await bulkOf(first)).counts).toEqual(stopped.counts);

  // It was. On with it; and S3 is repaired: what was paid for comes in by itself, what waited in vain is run again.
  const resumed = await operator.type('bulk', 'resume', first, '--reason', 'yes, all succeed', '--no-wait');
  expect(resumed).toMatchObject({ code: 0 });
  stack.s3.outage(false);
  await untilPauses();
  const second = await requeue(groupOf(HOMELESS), '--rate', '600', '--reason', 'S3 is repaired', '--yes');
  expect(second).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(new RegExp(`completed\\n\\nmatched +${HOMELESS}\\ndone +${HOMELESS}\\n`)),
  });
  const ended = await operator.type('bulk', 'get', first, '--wait');
  expect(ended).toMatchObject({ code: 0, stdout: expect.stringMatching(new RegExp(`matched +${POOR}\\ndone +${POOR}\\n`)) });

  // All that could be repaired is; what the callers have to repair is left to them.
  await until(poor, 'succeeded', POOR);
  await until(homeless, 'succeeded', HOMELESS);
  await until(paid, 'succeeded', PAID);
  const left = await operator.type('failures');
  expect(left.stdout).toMatch(new RegExp(`${shown(REJECTED)} +content_rejected`));
  expect(left.stderr).toMatch(new RegExp(`${shown(REJECTED)} jobs in 1 group`));
  const audit = await operator.type('audit', '--target', first);
  for (const reason of ['topped up', 'is it really the credits?', 'yes, all succeed']) expect(audit.stdout).toContain(reason);

  const { ledger } = stack.emulator;
  expect(ledger.doublyPaid()).toEqual([]);
  expect(ledger.tasks).toHaveLength(PAID / 2 + HOMELESS);
  const charged = ledger.submits.filter(({ kind, outcome }) => kind === 'chat' && outcome === 'accepted');
  expect(new Set(charged.map(({ prompt }) => prompt)).size).toBe(charged.length);
  expect(charged.filter(({ prompt }) => prompt.includes('poor-'))).toHaveLength(POOR);

  // The page shows the commands that were typed here.
  const known = (command: string) => command.replaceAll(/\b(sig|bulk)_\w+/g, '$1_…').replaceAll(/'([^']*)'/g, '$1');
  const told = [
    ...(page
      .split('## Runbook')[1]
      ?.split('\n## ')[0]
      ?.matchAll(/^\$ pnpm jobs (.*)$/gm) ?? []),
  ];
  expect(told.map(([, command]) => known(command ?? ''))).toEqual(operator.typed.map(known));
});
