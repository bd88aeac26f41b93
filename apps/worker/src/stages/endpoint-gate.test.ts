import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createEndpointGate, hostPlaces, type Place } from './endpoint-gate.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Asks so many times and says which of them may go on by now. */
async function enter(gate: ReturnType<typeof createEndpointGate>, count: number, endpoint = 'a') {
  const entered: Place[] = [];
  for (let n = 0; n < count; n += 1) void gate.enter(endpoint).then((place) => entered.push(place));
  await vi.advanceTimersByTimeAsync(0);
  return entered;
}

test('when a quick receiver has many webhooks then five are tried at once, and the next goes on as one is over', async () => {
  const gate = createEndpointGate();
  const entered = await enter(gate, 12);
  expect(entered).toHaveLength(5);
  for (let over = 1; over <= 7; over += 1) {
    entered[over - 1]?.took(2);
    entered[over - 1]?.leave();
    await vi.advanceTimersByTimeAsync(0);
    expect(entered).toHaveLength(5 + over);
  }
  expect(await enter(gate, 1, 'b')).toHaveLength(1);
});

test('when a receiver hangs then whoever waits behind its tries goes on to the queue, and nobody waits there any more', async () => {
  const gate = createEndpointGate();
  const entered = await enter(gate, 20);
  expect(entered).toHaveLength(5);
  await vi.advanceTimersByTimeAsync(1500);
  expect(entered).toHaveLength(20);
  await vi.advanceTimersByTimeAsync(4000);
  expect(await enter(gate, 20)).toHaveLength(20);
});

test('when a receiver takes its time then at most those wait here whose turn comes soon', async () => {
  const gate = createEndpointGate();
  for (let n = 0; n < 100; n += 1)
    for (const place of await enter(gate, 5)) {
      place.took(100);
      place.leave();
    }
  const [held] = await enter(gate, 1);
  await enter(gate, 4);
  // A place is free every 20 ms, so twelve turns lie within the 250 ms.
  expect(await enter(gate, 20)).toHaveLength(8);
  held?.leave();
});

test('when other workers hold the places then this one asks for fewer, and for more again as it is let out', async () => {
  const gate = createEndpointGate();
  const first = await enter(gate, 5);
  for (const place of first.slice(0, 3)) place.refused();
  for (const place of first) place.leave();
  const second = await enter(gate, 5);
  expect(second).toHaveLength(2);
  for (let n = 0; n < 10; n += 1) second[0]?.took(1);
  second[0]?.leave();
  await vi.advanceTimersByTimeAsync(0);
  expect(second).toHaveLength(4);
});

test('when a host hangs then each webhook that finds no place has a slot of its own, as far apart as its places become free', async () => {
  const gate = createEndpointGate(() => ({ few: 10, most: 10, more: 0 }));
  await enter(gate, 10);
  await vi.advanceTimersByTimeAsync(10_000);
  const none = await enter(gate, 20);
  expect(none.filter(({ free }) => free)).toEqual([]);
  expect(none.map((place) => place.slotMs())).toEqual(none.map((_, n) => (n + 1) * 1000));
});

test('when a host is quick then it may have more and more places but not all, and few again when it is slow', async () => {
  const gate = createEndpointGate(() => hostPlaces(50));
  expect(await enter(gate, 50)).toHaveLength(10);
  const other = await enter(gate, 10, 'b');
  for (let n = 0; n < 30; n += 1) other[0]?.took(50);
  expect(await enter(gate, 50, 'b')).toHaveLength(30);
  other[0]?.took(15_000);
  for (const place of other) place.leave();
  await vi.advanceTimersByTimeAsync(1500);
  expect((await enter(gate, 1, 'b')).filter(({ free }) => free)).toEqual([]);
});

test('when an operator lowers how much a worker takes at once then a quick host has a share of what is left', async () => {
  let concurrency = 50;
  const gate = createEndpointGate(() => hostPlaces(concurrency));
  const held = await enter(gate, 10);
  for (let n = 0; n < 30; n += 1) held[0]?.took(50);
  concurrency = 10;
  for (const place of held) place.leave();
  expect(await enter(gate, 50)).toHaveLength(8);
});
