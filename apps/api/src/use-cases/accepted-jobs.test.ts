import type { Created } from '@grsai-jobs/job-store';
import { type JobDoc, JobRequest, newRecord } from '@grsai-jobs/jobs';
import { createLogger } from '@grsai-jobs/runtime';
import { expect, test } from 'vitest';
import { createAcceptedJobs } from './accepted-jobs.ts';

const DOC: JobDoc = {
  ...JobRequest.parse({ type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'a' }] } }),
  on_unknown_submit: 'resubmit',
};
const ALLOWANCE = { queued: 5 };

/** An API, and what it sends to be created after another primary has taken over. */
function start() {
  const sent: { id: string; queued: number | undefined }[] = [];
  const answers = new Map<string, () => Promise<Created>>();
  let changed = (_now: string, _before: string): void => undefined;
  let looked = (): void => undefined;
  const accepted = createAcceptedJobs({
    store: {
      transitions: {
        create: async ({ id, allowance }) => {
          sent.push({ id, queued: allowance?.queued });
          return (await answers.get(id)?.()) ?? { kind: 'queue', limit: 5, queued: 5, more: 1 };
        },
      },
      primary: { onChange: (listener) => (changed = listener) },
      recovery: { look: async () => ({ kind: 'closed', until: 0, workers: 1, missing: [] }) as never },
      jobs: { heads: async (ids) => ids.map(() => null) },
      erase: {
        askedOf: async () => {
          queueMicrotask(() => looked());
          return [];
        },
      },
    },
    producer: { enqueue: async () => undefined },
    timers: { elapsed: () => 1 } as never,
    log: createLogger({ name: 'test', level: 'silent', pretty: false }),
  });
  return {
    told: accepted.told,
    create: (id: string, answer: () => Promise<Created>) => {
      answers.set(id, answer);
      const made = accepted.create({ id, tenant: 'acme', doc: DOC, createdAt: 1, allowance: ALLOWANCE });
      return made.finally(() => answers.delete(id)).catch((error: unknown) => String(error));
    },
    /** Answers what is sent to be created until nothing is any more. */
    async failover() {
      sent.length = 0;
      const { promise, resolve } = Promise.withResolvers<void>();
      looked = resolve;
      changed('b', 'a');
      await promise;
      await new Promise((done) => setImmediate(done));
      return sent;
    },
  };
}

const ok = (id: string): Created => ({
  kind: 'ok',
  job: newRecord({ id, tenant: 'acme', doc: DOC, price: null, keyId: null, createdAt: 1, turn: 0 }),
  message: null,
});

test('when a job was accepted and forgotten then it is made whatever its tenant may have', async () => {
  const api = start();
  await api.create('job_told', async () => ok('job_told'));
  expect(await api.failover()).toEqual([{ id: 'job_told', queued: undefined }]);
});

test('when the answer was lost then the limits of its tenant hold for the job that is made again', async () => {
  const api = start();
  const lost = await api.create('job_lost', async () => Promise.reject(new Error('Connection is closed.')));
  expect(lost).toContain('Connection is closed.');
  expect(await api.failover()).toEqual([{ id: 'job_lost', queued: 5 }]);
});

test('when the answer was lost and the same request was answered with its job then that was accepted, whatever its tenant may have', async () => {
  const api = start();
  await api.create('job_lost', async () => Promise.reject(new Error('Connection is closed.')));
  api.told('job_lost');
  api.told('job_of_another_process');
  expect(await api.failover()).toEqual([{ id: 'job_lost', queued: undefined }]);
});

test('when a job was refused, or nothing was sent, then it is not made again', async () => {
  const api = start();
  await api.create('job_refused', async () => ({ kind: 'queue', limit: 5, queued: 5, more: 1 }));
  await api.create('job_unsent', async () =>
    Promise.reject(new Error("Stream isn't writeable and enableOfflineQueue options is false")),
  );
  await api.create('job_told', async () => ok('job_told'));
  expect((await api.failover()).map(({ id }) => id)).toEqual(['job_told']);
});
