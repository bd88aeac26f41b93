import { LIMITS } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { startApi } from './api.ts';
import { goodChat } from './bad-input/row.ts';
import { type Asked, BODY_LIMIT, LIMIT_ROWS } from './limits/rows.ts';

/** Limits of `LIMITS` that no request of a job meets, and whose tests hold them. */
const NOT_OF_JOBS: Readonly<Partial<Record<keyof typeof LIMITS, string>>> = {
  recordImageBytes: 'e2e/large-inputs.test.ts',
  recordInputBytes: 'packages/jobs/src/stored-input.test.ts',
  inlineCompletionBytes: 'e2e/store.test.ts',
  attemptsKept: 'packages/job-store',
  paidAttemptsKept: 'packages/job-store',
  batch: 'the tests of batches',
};

test('every limit of packages/jobs has a row', () => {
  const covered = new Set<string>([...LIMIT_ROWS.flatMap(({ of }) => of ?? []), ...Object.keys(NOT_OF_JOBS)]);
  expect(Object.keys(LIMITS).filter((name) => !covered.has(name))).toEqual([]);
});

test('when a request is at a limit then it is taken, and when it is one beyond then it is refused with the limit', async () => {
  const api = await startApi({ env: { BODY_LIMIT: `${BODY_LIMIT}b` } });
  const send = ({ method = 'POST', path = '/v1/jobs', body, headers = {} }: Asked) =>
    api.tenant.send(method, path, body, headers);
  for (const { limit, inside, beyond, refusal } of LIMIT_ROWS) {
    for (const [index, asked] of inside.entries()) {
      const answer = await send(asked);
      const detail = answer.ok ? '' : await answer.text();
      expect
        .soft(`${limit}, inside ${index}: ${answer.status} ${detail}`)
        .toBe(`${limit}, inside ${index}: ${asked.method ? 200 : 202} `);
    }
    for (const asked of beyond) {
      const answer = await send(asked);
      const told = (await answer.json()) as { code: string; detail: string; errors?: { pointer: string; message: string }[] };
      expect.soft(`${limit}: ${answer.status} ${told.code}`).toBe(`${limit}: ${refusal.status} ${refusal.code}`);
      const error = told.errors?.find(({ pointer }) => pointer === refusal.pointer);
      if (refusal.pointer !== undefined) expect.soft(`${limit}: ${error?.pointer}`).toBe(`${limit}: ${refusal.pointer}`);
      expect.soft(error?.message ?? told.detail).toMatch(refusal.says);
    }
  }
});

test('when an answer is to wait then it waits 60 seconds at most, and what cannot be read is ignored', async () => {
  const api = await startApi();
  const post = (prefer: string) =>
    api.tenant.send('POST', '/v1/jobs', goodChat(), { 'idempotency-key': 'one', ...(prefer === '' ? {} : { prefer }) });
  const { id } = (await (await post('')).json()) as { id: string };
  await api.tenant.post(`/v1/jobs/${id}/cancel`, {});
  const taken = { 'wait=1': 1, 'wait=60': 60, wait: 60, 'wait=61': 60, 'respond-async, WAIT="10"': 10 };
  const ignored = ['wait=0', 'wait=-1', 'wait=1.5', 'wait=soon', 'respond-async'];
  const waits = [...Object.entries(taken), ...ignored.map((prefer): [string, null] => [prefer, null])];
  for (const [prefer, seconds] of waits) {
    const answer = await post(prefer);
    expect([prefer, answer.status, answer.headers.get('preference-applied')]).toEqual(
      seconds === null ? [prefer, 202, null] : [prefer, 200, `wait=${seconds}`],
    );
  }
});
