import { randomBytes } from 'node:crypto';
import type { Received } from '@grsai-jobs/testkit';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { expect, test } from 'vitest';
import { chat, type Job, type Stack, shareStack, startStack } from './stack.ts';

interface Secret {
  id: string;
  secret: string;
  older: { id: string; expires_at: string }[];
}

const freshStack = shareStack();

const LIBRARIES = [
  ['standardwebhooks', Webhook],
  ['svix', SvixWebhook],
] as const;

const rotate = (stack: Stack, body?: object) => stack.tenant.post<Secret>('/v1/webhook-secret/rotate', body);
const current = (stack: Stack) => stack.tenant.get<Secret>('/v1/webhook-secret');

/** The webhook of a new chat job. */
async function nextHook(stack: Stack): Promise<Received> {
  const { id } = await stack.tenant.post<Job>('/v1/jobs', chat(stack.receiver));
  return await stack.receiver.waitFor((hook) => hook.body.includes(`"id":"${id}"`), { timeoutMs: 20_000 });
}

const believes = (Library: typeof Webhook | typeof SvixWebhook, secret: string, hook: Received): boolean => {
  try {
    new Library(secret).verify(hook.body, hook.headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
};

const believers = (hook: Received, ...secrets: string[]): boolean[][] =>
  LIBRARIES.map(([, Library]) => secrets.map((secret) => believes(Library, secret, hook)));

test('during the overlap of a rotation both official libraries believe with the old and the new secret, after it with the new one only', async () => {
  const stack = await freshStack();
  const old = await current(stack);
  expect(old).toEqual({ object: 'webhook_secret', id: expect.stringMatching(/^whk_/), secret: old.secret, older: [] });
  const before = await nextHook(stack);
  expect(believers(before, old.secret)).toEqual([[true], [true]]);

  const fresh = await rotate(stack, { overlap_s: 3 });
  const endsAt = Date.parse(fresh.older[0]?.expires_at ?? '');
  expect(fresh.secret).not.toBe(old.secret);
  expect(fresh.older).toEqual([{ id: old.id, expires_at: expect.stringMatching(/Z$/) }]);
  expect(await current(stack)).toEqual(fresh);
  const during = await nextHook(stack);
  expect(during.at).toBeLessThan(endsAt);
  expect(believers(during, fresh.secret, old.secret)).toEqual([
    [true, true],
    [true, true],
  ]);
  const [first, second, ...more] = String(during.headers['webhook-signature']).split(' ');
  expect([first, second].every((each) => each?.startsWith('v1,')) && more.length === 0).toBe(true);
  const id = String(during.headers['webhook-id']);
  const at = new Date(Number(during.headers['webhook-timestamp']) * 1000);
  expect(first).toBe(new Webhook(fresh.secret).sign(id, at, during.body));
  expect(second).toBe(new Webhook(old.secret).sign(id, at, during.body));

  await expect.poll(async () => (await current(stack)).older, { timeout: 10_000 }).toEqual([]);
  const after = await nextHook(stack);
  expect(believers(after, fresh.secret, old.secret)).toEqual([
    [true, false],
    [true, false],
  ]);
});

test('after a rotation without an overlap nothing is signed by the old secret, in no worker, also when they were disconnected at the time', async () => {
  const stack = await startStack({ kills: true, workers: 2 });
  const old = await current(stack);
  const warm = await Promise.all(Array.from({ length: 6 }, () => nextHook(stack)));
  expect(warm.every((hook) => believes(Webhook, old.secret, hook))).toBe(true);
  const fresh = await rotate(stack, { overlap_s: 0 });
  expect(fresh.older).toEqual([]);
  const hooks = await Promise.all(Array.from({ length: 6 }, () => nextHook(stack)));
  expect(hooks.map((hook) => [believes(Webhook, fresh.secret, hook), believes(Webhook, old.secret, hook)])).toEqual(
    hooks.map(() => [true, false]),
  );
  stack.proxy.dropAll();
  await expect.poll(async () => (await stack.tenant.send('GET', '/v1/jobs?limit=1')).status).toBe(200);
  const newest = await rotate(stack, { overlap_s: 0 });
  const late = await Promise.all(Array.from({ length: 6 }, () => nextHook(stack)));
  expect(late.every((hook) => believes(Webhook, newest.secret, hook))).toBe(true);
});

test('of two rotations at once both count, and what each caller was given signs', async () => {
  const stack = await freshStack();
  const old = await current(stack);
  const both = await Promise.all([rotate(stack), rotate(stack, { overlap_s: 86_400 })]);
  const { id, older } = await current(stack);
  expect([id, ...older.map((each) => each.id)].sort()).toEqual([old.id, ...both.map((each) => each.id)].sort());
  const hook = await nextHook(stack);
  expect(believers(hook, ...both.map(({ secret }) => secret), old.secret)).toEqual([
    [true, true, true],
    [true, true, true],
  ]);
});

test('when SECRETS_KEY is rotated as docs/operations.md says then every secret stays as it was, and the old key can go', async () => {
  const [first, second] = [0, 1].map(() => randomBytes(32).toString('base64')) as [string, string];
  const stack = await startStack({ env: { SECRETS_KEY: first } });
  const before = await rotate(stack);
  // Nobody asks for the secret of this tenant, and it has no jobs, while the key is rotated.
  const resting = await stack.admin.get<Secret>('/v1/webhook-secret');
  let { api, worker } = stack;
  for (const SECRETS_KEY of [`${first},${second}`, `${second},${first}`, second]) {
    await Promise.all([api.stop(), worker.stop()]);
    [api, worker] = await Promise.all([stack.startApi({ SECRETS_KEY }), stack.startWorker({ SECRETS_KEY })]);
    if (SECRETS_KEY.startsWith(`${second},`))
      expect(await worker.waitForLine((line) => line['event'] === 'secrets.resealed')).toMatchObject({
        resealed: 2,
        unreadable: 0,
      });
    const hook = await nextHook(stack);
    expect(believers(hook, before.secret)).toEqual([[true], [true]]);
  }
  expect(await current(stack)).toEqual(before);
  expect(await stack.admin.get<Secret>('/v1/webhook-secret')).toEqual(resting);
});
