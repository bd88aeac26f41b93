import { EventEmitter } from 'node:events';
import type { Principal } from '@grsai-jobs/job-store';
import type { Response } from 'express';
import { beforeEach, expect, test, vi } from 'vitest';
import { createKeyEnds, letIn } from './key-ends.ts';

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

const principal: Principal = { key_id: 'key_1', tenant: 'acme', name: 'a', scopes: [], expires_at: null };
const settle = () => vi.advanceTimersByTimeAsync(0);

function start() {
  const living = new Set(['gj_a', 'gj_b']);
  const find = vi.fn(async (key: string) => (living.has(key) ? principal : null));
  const believed = new Set(living);
  const known = (key: string) => (believed.has(key) ? principal : undefined);
  const requests = createKeyEnds({ known, find, clock: { now: () => Date.now() }, onError: () => undefined });
  const open = (key: string | null, expires_at: number | null = null) => {
    const response = Object.assign(new EventEmitter(), { locals: {}, destroyed: false }) as unknown as Response;
    if (key !== null) letIn(response, key, { ...principal, expires_at });
    return { response, signal: requests.keyEnds(response) };
  };
  return { living, believed, find, requests, open };
}

test('when a key is revoked then its open requests end, and those of other keys and of the configuration go on', async () => {
  const { living, find, requests, open } = start();
  const [first, second, other, admin] = [open('gj_a'), open('gj_a'), open('gj_b'), open(null)];
  living.delete('gj_a');
  requests.recheck();
  await settle();
  expect([first, second, other, admin].map(({ signal }) => signal.aborted)).toEqual([true, true, false, false]);
  expect(find.mock.calls).toEqual([['gj_a'], ['gj_b']]);
});

test('when a key expires then its open requests end at that time', async () => {
  const { open } = start();
  const [soon, later] = [open('gj_a', Date.now() + 5000), open('gj_a', Date.now() + 2 ** 40)];
  await vi.advanceTimersByTimeAsync(4999);
  expect(soon.signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect([soon.signal.aborted, later.signal.aborted]).toEqual([true, false]);
});

test('when a request is over then nothing of it stays', async () => {
  const { find, requests, open } = start();
  open('gj_a', Date.now() + 5000).response.emit('close');
  requests.recheck();
  await settle();
  expect([find.mock.calls.length, vi.getTimerCount()]).toEqual([0, 0]);
});

test('when a key was revoked while its request came in then the wait ends, and a key that is there yet goes on', async () => {
  const { living, believed, requests, open } = start();
  living.delete('gj_a');
  believed.clear();
  requests.recheck();
  const [revoked, good] = [open('gj_a'), open('gj_b')];
  await settle();
  expect([revoked, good].map(({ signal }) => signal.aborted)).toEqual([true, false]);
});
