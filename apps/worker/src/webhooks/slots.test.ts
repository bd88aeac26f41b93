import { expect, test } from 'vitest';
import { createSlots, type Slot, shareOf } from './slots.ts';

/** So many slots of a tenant as there are to be had. */
function grab(slots: ReturnType<typeof createSlots>, tenant: string): Slot[] {
  const got = [];
  for (let slot = slots.tryTake(tenant); slot !== null; slot = slots.tryTake(tenant)) got.push(slot);
  return got;
}

test.each([
  [50, 0, 0, 10],
  [50, 0, 100, 45],
  [50, 1, 100, 16],
  [50, 1, 0, 10],
  [50, 9, 100, 4],
  [50, 99, 0, 1],
  [10, 0, 0, 5],
  [3, 0, 100, 2],
  [1, 0, 0, 1],
])('of %i slots, with %i other tenants and %i quick attempts, a tenant may have %i', (all, others, quick, share) => {
  expect(shareOf(all, others, quick)).toBe(share);
});

test('when a tenant has slow receivers only then it has a fifth of the slots, and another finds one at once', () => {
  const slots = createSlots(() => 50);
  expect(grab(slots, 'slow')).toHaveLength(10);
  expect(slots.tryTake('quiet')).not.toBeNull();
});

test('when nine tenants hang at once then a tenth still finds a slot', () => {
  const slots = createSlots(() => 50);
  for (const tenant of 'abcdefghi') expect(grab(slots, tenant).length).toBeGreaterThan(0);
  expect(slots.taken()).toBe(49);
  expect(slots.tryTake('quiet')).not.toBeNull();
});

test('when attempts are quick then a lone tenant gets nine tenths, and one slow attempt takes it back', () => {
  const slots = createSlots(() => 50);
  const first = slots.tryTake('busy');
  for (let n = 0; n < 100; n += 1) first?.took(5);
  expect(grab(slots, 'busy')).toHaveLength(44);
  first?.took(1000);
  expect(slots.tryTake('busy')).toBeNull();
});

test('when all slots are taken then who waits is let in by who leaves, in order, and a tenant with its share is refused', async () => {
  const slots = createSlots(() => 2);
  const [a, b] = [slots.tryTake('a'), slots.tryTake('b')];
  expect(await slots.take('a')).toBeNull();
  const c = slots.take('c');
  const d = slots.take('d');
  expect(slots.tryTake('e')).toBeNull();
  expect(a?.mayKeep()).toBe(false);
  a?.leave();
  a?.leave();
  const got = await c;
  expect(got?.tenant).toBe('c');
  b?.leave();
  expect((await d)?.tenant).toBe('d');
  expect(slots.taken()).toBe(2);
});

test('when there are more slots all at once then they are used, and with fewer nobody new comes in', () => {
  let all = 10;
  const slots = createSlots(() => all);
  const got = grab(slots, 'a');
  expect(got).toHaveLength(5);
  all = 100;
  expect(grab(slots, 'a')).toHaveLength(15);
  all = 1;
  expect(slots.tryTake('b')).toBeNull();
});
