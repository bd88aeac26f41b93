import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { redisBinary, startRedis, waitFor } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { chat, image, type Job, type Stack, startStack } from './stack.ts';

const IMAGES = 10;
const CHATS = 4;

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'restore-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** What was paid for, by its prompt. */
const paidBy = ({ emulator }: Stack): string[] =>
  emulator.ledger.submits.filter(({ outcome }) => outcome === 'accepted').map(({ prompt }) => prompt);

test.runIf(await redisBinary())(
  'when Redis is restored from a backup that is older than the results then nothing is paid for twice and every job ends',
  async () => {
    const [before, after] = [await folder(), await folder()];
    const stack = await startStack({
      ...{ kills: true, quickTasks: true, redis: { appendonly: 'no', args: ['--dir', before] } },
      ...{ emulator: { taskMs: 600, chatMs: 300 }, env: { GRSAI_MAX_IN_FLIGHT: '3', GRSAI_CALL_RESERVE: '1' } },
    });
    const { tenant, admin } = stack;
    const posts = [
      ...Array.from({ length: IMAGES }, (_, n) => image(stack.receiver, `picture ${n}`)),
      ...Array.from({ length: CHATS }, (_, n) => chat(stack.receiver, `question ${n}`)),
    ];
    const jobs = await Promise.all(posts.map(async (post) => (await tenant.post<Job>('/v1/jobs', post)).id));
    await waitFor(() => paidBy(stack).length >= 3, { what: 'the first calls' });
    const redis = new Redis(stack.redis.url);
    await redis.call('SAVE');
    redis.disconnect();
    const at = new Date().toISOString();
    await copyFile(join(before, 'dump.rdb'), join(after, 'dump.rdb'));

    // All goes on as if nothing were to happen, and then Redis is lost.
    await Promise.all(jobs.map((id) => tenant.finished(id)));
    const paid = paidBy(stack).sort();
    expect(new Set(paid).size).toBe(IMAGES + CHATS);
    await Promise.all([stack.api.stop(), stack.worker.stop()]);

    const restored = await startRedis({ appendonly: 'no', args: ['--dir', after] });
    onTestFinished(() => restored.stop());
    const env = { REDIS_URL: restored.url };
    await stack.startApi(env);
    const found = await admin.post<{ held: { images: number; chats: number }; asked: number; storing: number }>(
      '/admin/v1/restored',
      { at, reason: 'the disk of Redis died' },
    );
    expect(found.held.images).toBeGreaterThan(0);
    expect(found.held.chats).toBeGreaterThan(0);
    await stack.startWorker(env);

    const suspects = async () => (await admin.get<{ total: number }>('/admin/v1/suspects')).total;
    // What the bucket has of held images is taken from there; chats leave nothing there.
    await waitFor(async () => (await suspects()) === found.held.chats || undefined, {
      timeoutMs: 20_000,
      what: 'held images to be found',
    });
    await admin.post('/admin/v1/suspects', { action: 'fail', type: 'chat', reason: 'the account was charged' });
    const ends = await Promise.all(jobs.map(async (id) => await tenant.finished(id)));
    expect(ends.slice(0, IMAGES).map(({ status }) => status)).toEqual(Array(IMAGES).fill('succeeded'));
    expect(ends.slice(IMAGES).filter(({ error }) => error?.code === 'submit_unknown')).toHaveLength(found.held.chats);
    expect(paidBy(stack).sort()).toEqual(paid);
  },
  120_000,
);
