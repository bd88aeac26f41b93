import { fileURLToPath } from 'node:url';
import { runScript, waitFor } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { chat, type Job, startStack } from './stack.ts';

/** What became of webhooks, asked and repaired by hand. */

const entry = fileURLToPath(new URL('../apps/cli/src/main.ts', import.meta.url));

test('when a receiver was down then its webhooks are listed, resent and recovered by hand', async () => {
  const stack = await startStack();
  const by =
    (key: string) =>
    async (...args: readonly string[]) =>
      await runScript({ entry, args, env: { GRSAI_JOBS_API: stack.url, GRSAI_JOBS_KEY: key } });
  const [jobs, operator] = [by(stack.tenant.key), by(stack.admin.key)];
  const { id } = await stack.tenant.post<Job>('/v1/jobs', chat(stack.receiver));
  await stack.tenant.finished(id);
  await waitFor(async () => (await stack.tenant.job(id)).webhook.state === 'delivered', { what: 'the first webhook' });

  const listed = await jobs('deliveries', '--job', id);
  expect(listed.stdout).toMatch(/DELIVERY +STATE +ATTEMPTS[^\n]*\nevt_\w+_1_job_succeeded +delivered +1 +20\d/);
  const delivery = JSON.parse((await jobs('deliveries', '--job', id, '--json')).stdout) as { id: string };
  expect(await jobs('resend', delivery.id)).toMatchObject({ code: 0, stdout: `${delivery.id} pending\n` });
  await stack.receiver.waitFor(2);

  expect(await jobs('recover', stack.receiver.url, '--since', '1h')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`What ${stack.receiver.url} has missed`),
  });

  // The key of an operator sees, and resends, what belongs to all tenants.
  expect((await operator('deliveries')).stdout).toMatch(
    /^TENANT +DELIVERY[^\n]*\nacme +evt_\w+_1_job_succeeded +(delivered|pending) /,
  );
  expect(await operator('deliveries', '--tenant', 'other')).toMatchObject({ stdout: '', stderr: 'No deliveries.\n' });
  await waitFor(async () => (await stack.tenant.job(id)).webhook.state === 'delivered', { what: 'the second webhook' });
  const again = await operator('resend', delivery.id, '--reason', 'their receiver is well again');
  expect(again).toMatchObject({ code: 0, stdout: `${delivery.id} pending\n` });
  await stack.receiver.waitFor(3);
  expect((await operator('audit', '--action', 'webhook.resend')).stdout).toContain('their receiver is well again');
  expect(await jobs('resend', delivery.id, '--reason', 'r')).toMatchObject({ code: 4, stdout: '' });
  expect(await jobs('resend', 'evt_nope')).toMatchObject({ code: 1, stderr: expect.stringContaining('404 not_found') });
});
