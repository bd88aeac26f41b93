import { image, type Job } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { startApi } from './api.ts';

test('when images were held after a restore then operators see them, decide on each or on all, and every decision stands in the audit log', async () => {
  const api = await startApi();
  const made = await Promise.all(
    ['a', 'b', 'c'].map((prompt) => api.tenant.post<Job>('/v1/jobs', image(api.receiver as never, prompt))),
  );
  const decide = (order: object) =>
    api.admin.post<{ decided: number; left: number }>('/admin/v1/suspects', { reason: 'r', ...order });
  const list = () => api.admin.get<{ data: { job_id: string }[]; total: number }>('/admin/v1/suspects');
  expect(await list()).toMatchObject({ data: [], total: 0 });
  expect(await decide({ action: 'hold' })).toEqual({ decided: 3, left: 3 });
  const { data, total } = await list();
  expect([data.map(({ job_id }) => job_id).sort(), total]).toEqual([made.map(({ id }) => id).sort(), 3]);

  const [paid = '', other = ''] = made.map(({ id }) => id);
  expect(await decide({ action: 'fail', jobs: [paid, 'job_unknown'] })).toEqual({ decided: 1, left: 2 });
  expect(await api.tenant.get<Job>(`/v1/jobs/${paid}`)).toMatchObject({ status: 'failed', error: { code: 'submit_unknown' } });
  await api.tenant.send('POST', `/v1/jobs/${other}/cancel`);
  expect(await decide({ action: 'run' })).toEqual({ decided: 1, left: 0 });
  expect(await list()).toMatchObject({ total: 0 });
  const audit = await api.admin.get<{ data: { action: string; target: string }[] }>('/admin/v1/audit');
  expect(audit.data.map(({ action, target }) => `${action} ${target}`)).toEqual(
    expect.arrayContaining(['suspects.hold all', 'suspects.fail 2 jobs', 'suspects.run all']),
  );
  expect((await api.tenant.send('GET', '/admin/v1/suspects')).status).toBe(403);
  expect(await api.admin.send('GET', '/metrics').then((answer) => answer.text())).toContain('grsai_jobs_suspect_jobs 0');
});
