import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startAt } from './event-source.ts';
import { followOnce } from './job-events.ts';
import { createTransport } from './transport.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A service whose streams say what a test sends, and nothing else. */
function silentService() {
  let say: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = () =>
    new ReadableStream<Uint8Array>({
      start: (controller) => {
        say = controller;
      },
    });
  const fetch = ((_: unknown, { signal }: RequestInit) => {
    signal?.addEventListener('abort', () => say?.error(signal.reason));
    return Promise.resolve(new Response(body(), { headers: { 'content-type': 'text/event-stream' } }));
  }) as typeof globalThis.fetch;
  const host = { fetch, sleep: () => Promise.resolve(), random: () => 0, now: Date.now };
  const transport = createTransport({ baseUrl: 'http://service', apiKey: 'gj_test', timeoutMs: 1_000, maxRetries: 0 }, host);
  return { transport, say: (text: string) => say?.enqueue(new TextEncoder().encode(text)), end: () => say?.close() };
}

const follow = (service: ReturnType<typeof silentService>, after = 0) => {
  const at = startAt(after);
  const { signal } = new AbortController();
  const state = { over: false };
  const done = Array.fromAsync(followOnce(service.transport, 'job_1', at, { signal })).then((events) => {
    state.over = true;
    return events;
  });
  return { at, state, done };
};

test('when a stream is open and silent for 45 s then it is left, as one that carried nothing', async () => {
  const { at, state, done } = follow(silentService());
  await vi.advanceTimersByTimeAsync(44_999);
  expect(state.over).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(await done).toEqual([]);
  expect(at).toEqual({ seq: 0, ended: false, heard: false, refusal: undefined });
});

test('when a comment comes every 15 s then a stream stays open for hours', async () => {
  const service = silentService();
  const { at, state, done } = follow(service);
  for (let s = 0; s < 7_200; s += 15) {
    await vi.advanceTimersByTimeAsync(15_000);
    service.say(': still here\n\n');
  }
  await vi.advanceTimersByTimeAsync(1);
  expect([state.over, at.heard]).toEqual([false, true]);
  await vi.advanceTimersByTimeAsync(45_000);
  expect(await done).toEqual([]);
});

const eventText = (seq: number, status: string) => `id: ${seq}\ndata: ${JSON.stringify({ seq, status, run: 1 })}\n\n`;

test('when a stream begins behind a number that the service never gave then it ends with the end of the job, which is told', async () => {
  const service = silentService();
  const { at, done } = follow(service, 99);
  await vi.advanceTimersByTimeAsync(1);
  service.say(eventText(2, 'running') + eventText(3, 'succeeded'));
  service.end();
  expect((await done).map(({ seq }) => seq)).toEqual([3]);
  expect(at.ended).toBe(true);
});

test('when a stream tells again what is known then only what is new is told', async () => {
  const service = silentService();
  const { at, done } = follow(service, 2);
  await vi.advanceTimersByTimeAsync(1);
  service.say(eventText(1, 'failed') + eventText(2, 'queued') + eventText(3, 'running'));
  service.end();
  expect((await done).map(({ seq }) => seq)).toEqual([3]);
  expect(at).toMatchObject({ seq: 3, ended: false });
});
