import type { ChatCompletion } from '@grsai-jobs/grsai';
import { JobRequest, jobError } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { createPauseControl } from '../src/pauses/pause-control.ts';
import { createUpstreamHealth } from '../src/pauses/upstream-health.ts';
import { createCallStage } from '../src/stages/call.ts';
import { createInputObjects } from '../src/stages/input-objects.ts';
import { createOpenCalls } from '../src/stages/open-calls.ts';
import { acceptedJob, startKit, type TestKit } from './kit.ts';

const LINKS = { outputs: [{ kind: 'link', url: 'https://files.example/1.png' }], raw: '' };

const COMPLETION: ChatCompletion = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'gemini-3.1-pro',
  choices: [{ index: 0, message: { role: 'assistant', content: 'paid for' }, finish_reason: 'stop' }],
};

/** A call stage whose upstream answers when the test says so, and one entry in it whose call is open. */
async function openCall(kit: TestKit, request: object) {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const held = async <T>(result: T): Promise<T> => {
    asked.resolve();
    await answer.promise;
    return result;
  };
  const pauses = createPauseControl({ pauses: kit.store.pauses, producer: kit.producer, clock: kit.clock, log: kit.log });
  const stage = createCallStage({
    ...kit,
    grsai: {
      images: { ...kit.grsai.images, generations: () => held(LINKS) },
      chat: { ...kit.grsai.chat, complete: () => held(COMPLETION) },
    } as unknown as TestKit['grsai'],
    pauses,
    upstream: createUpstreamHealth(pauses, kit.log),
    probeKey: async () => true,
    limits: { maxInFlight: 0, rpm: 0 },
    inputs: createInputObjects(
      { get: async () => Promise.reject(new Error('no inputs here')), signedUrl: async () => ({ url: '', expiresAt: 0 }) },
      'inline',
    ),
    openCalls: createOpenCalls(),
    storeProven: () => true,
  });
  const { id, read } = await acceptedJob(kit, {}, () => ({ ...JobRequest.parse(request), on_unknown_submit: 'fail' }));
  const left = stage({ entry: { id, step: 1 }, stalled: false });
  await asked.promise;
  const answered = () => {
    answer.resolve();
    return left;
  };
  return { id, read, answered };
}

const CALLS: readonly [string, object, object][] = [
  [
    'the links of a held image call',
    { type: 'image', via: 'generations', input: { model: 'nano-banana-2', prompt: 'a lighthouse' } },
    { links: [{ url: 'https://files.example/1.png' }] },
  ],
  [
    'a completion that may not be asked for again',
    { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hello' }] } },
    { completion: COMPLETION },
  ],
];

test.each(CALLS)(
  'when %s come after the run was given up as unknown then the job goes on with them',
  async (_what, request, pending) => {
    const kit = await startKit();
    const call = await openCall(kit, request);
    const { sent, ...record } = await call.read();
    const error = jobError('submit_unknown', 'submitting');
    await kit.store.moves.end({ ...record, sent }, { status: 'failed', error, by: sent?.by ?? '', keepSent: true });

    expect(await call.answered()).toEqual({ kind: 'done' });
    const after = await call.read();
    expect(after).toMatchObject({ status: 'running', stage: 'storing', run: 2, late_result: true, pending });
    expect(await kit.producer.stateOf('store', after)).toBe('there');
  },
);

test.each(CALLS)('when Redis refuses to write %s then they are written as soon as it does not', async (_what, request) => {
  const kit = await startKit();
  const call = await openCall(kit, request);
  await kit.redis.config('SET', 'min-replicas-to-write', '1');
  const refused = Promise.withResolvers<void>();
  kit.log.error = () => refused.resolve();
  const answered = call.answered();
  await Promise.race([refused.promise, answered.catch(() => undefined)]);
  await kit.redis.config('SET', 'min-replicas-to-write', '0');
  expect(await answered).toEqual({ kind: 'done' });
  expect((await call.read()).status).toBe(request === CALLS[0]?.[1] ? 'running' : 'succeeded');
});
