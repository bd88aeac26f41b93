import { expect, test } from 'vitest';
import { accountLimits } from '../src/runner/account-limits.ts';
import { acceptedJob, type Harness, handlersOf, startHarness } from './harness.ts';

const COMPLETION = { choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }] };
const CHAT = { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hi' }] } };

test('when synchronous image calls go back since S3 is away then the calls of the minute are left to chats', async () => {
  const harness = await startHarness();
  const limits = () =>
    accountLimits({ GRSAI_MAX_IN_FLIGHT: 0, GRSAI_CALL_RESERVE: 'auto', GRSAI_RPM: 2, TENANT_MAX_IN_FLIGHT: 0 }, 10);
  const chats = { ...harness.grsai.chat, complete: async () => COMPLETION };
  const grsai = { images: harness.grsai.images, chat: chats } as unknown as Harness['grsai'];
  const { call } = handlersOf(harness, { limits, grsai, storeProven: () => false });
  const image = await acceptedJob(harness, { via: 'generations' });
  for (let n = 0; n < 5; n += 1)
    expect(await call({ entry: { id: image.id, step: 1 }, stalled: false })).toEqual({ kind: 'wait', ms: 5000 });
  const chat = await acceptedJob(harness, CHAT);
  expect(await call({ entry: { id: chat.id, step: 1 }, stalled: false })).toEqual({ kind: 'done' });
  expect((await chat.read()).status).toBe('succeeded');
});

test('when image tasks have all that they may then the next one goes back to its room, and a chat goes', async () => {
  const harness = await startHarness();
  const limits = () =>
    accountLimits({ GRSAI_MAX_IN_FLIGHT: 3, GRSAI_CALL_RESERVE: 'auto', GRSAI_RPM: 0, TENANT_MAX_IN_FLIGHT: 0 }, 10);
  const chats = { ...harness.grsai.chat, complete: async () => COMPLETION };
  const grsai = { images: harness.grsai.images, chat: chats } as unknown as Harness['grsai'];
  const { submit, call } = handlersOf(harness, { limits, grsai });
  // One is kept for calls.
  const images = [await acceptedJob(harness), await acceptedJob(harness), await acceptedJob(harness)];
  for (const { id } of images) expect(await submit({ entry: { id, step: 1 }, stalled: false })).toEqual({ kind: 'done' });
  expect(await Promise.all(images.map(async ({ read }) => (await read()).stage))).toEqual(['generating', 'generating', null]);
  expect(await images[2]?.read()).toMatchObject({ status: 'queued', attempts_used: 0, step: 2, turn: 0 });

  const chat = await acceptedJob(harness, CHAT);
  expect(await call({ entry: { id: chat.id, step: 1 }, stalled: false })).toEqual({ kind: 'done' });
  expect((await chat.read()).status).toBe('succeeded');
  expect(await harness.store.jobs.inFlight()).toBe(2);
});
