import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { freePort } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { previousRelease, schemaOf } from './previous-release.ts';
import { chat, createClient, image, type Job, startStack } from './stack.ts';

const previous = previousRelease();
const [root, schema, why] = 'root' in previous ? [previous.root, previous.schema, ''] : ['', 0, previous.missing];
if (why !== '') console.warn(`e2e/versions.test.ts is skipped: ${why}`);
const inPrevious = (app: 'api' | 'worker') => join(root, 'apps', app, 'src/main.ts');
const MIXED = schema === schemaOf();

test.skipIf(why !== '' || !MIXED)(
  'when this release and the one before run side by side, and then each without the other, then every job ends once and no webhook is missing',
  async () => {
    const stack = await startStack({ workers: 0, quickTasks: true, emulator: { taskMs: 700 } });
    const { receiver, emulator } = stack;
    const { key } = await stack.admin.post<{ key: string }>('/admin/v1/keys', {
      ...{ tenant: stack.tenantName, name: 'versions', scopes: ['jobs:read', 'jobs:write'] },
    });
    const port = await freePort();
    const oldApi = await stack.startApi({ PORT: String(port) }, inPrevious('api'));
    const before = createClient(`http://127.0.0.1:${port}`, key);
    const now = createClient(stack.url, key);
    const startOldWorker = () => stack.startWorker({}, 'worker.ready', inPrevious('worker'));
    const workers = { now: await stack.startWorker(), before: await startOldWorker() };
    const sent: string[] = [];
    const send = async (client: typeof now, count: number) => {
      // The emulator knows by its text whether a job was paid for twice.
      const texts = Array.from({ length: count }, () => randomUUID());
      const bodies = texts.flatMap((text) => [chat(receiver, text), image(receiver, text)]);
      sent.push(...(await Promise.all(bodies.map(async (body) => (await client.post<Job>('/v1/jobs', body)).id))));
    };
    const allEnd = async (client: typeof now) => {
      for (const id of sent) expect(await client.finished(id)).toMatchObject({ id, status: 'succeeded', run: 1 });
    };
    const stop = async (process: typeof oldApi) => {
      process.kill('SIGTERM');
      expect(await process.exited).toEqual({ code: 0, signal: null });
    };
    const begun = (count: number) => emulator.waitFor(() => emulator.ledger.submits.length >= count);

    await Promise.all([send(now, 6), send(before, 6)]);
    await allEnd(before);
    await allEnd(now);

    // Back to the release before, with jobs on their way.
    await send(now, 4);
    await begun(26);
    await Promise.all([stop(stack.api), stop(workers.now)]);
    await allEnd(before);

    // And to this one again.
    await send(before, 4);
    await begun(34);
    await Promise.all([stop(oldApi), stop(workers.before)]);
    await Promise.all([stack.startApi(), stack.startWorker()]);
    await allEnd(now);

    await receiver.waitFor(sent.length);
    expect(receiver.received.filter(({ signature }) => signature !== 'valid')).toEqual([]);
    expect(new Set(receiver.received.map(({ json }) => (json as { id: string }).id)).size).toBe(sent.length);
    expect(emulator.ledger.doublyPaid()).toEqual([]);
  },
);

test.skipIf(why !== '' || MIXED)(
  'when this release has brought the data up to date then the one before refuses it with a sentence',
  async () => {
    const stack = await startStack();
    const refused = stack.startWorker({}, 'worker.ready', inPrevious('worker'));
    await expect(refused).rejects.toThrow(`schema version ${schemaOf()}, and this release knows none above ${schema}`);
  },
);
