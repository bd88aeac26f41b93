import { expect, test } from 'vitest';
import { createPlaces, type Place, shareOf } from './places.ts';

/** So many places of a tenant as there are to be had. */
function grab(places: ReturnType<typeof createPlaces>, tenant: string): Place[] {
  const got = [];
  for (let place = places.tryTake(tenant); place !== null; place = places.tryTake(tenant)) got.push(place);
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
])('of %i places, with %i other tenants and %i quick attempts, a tenant may have %i', (all, others, quick, share) => {
  expect(shareOf(all, others, quick)).toBe(share);
});

test('when a tenant has slow receivers only then it has a fifth of the places, and another finds one at once', () => {
  const places = createPlaces(() => 50);
  expect(grab(places, 'slow')).toHaveLength(10);
  expect(places.tryTake('quiet')).not.toBeNull();
});

test('when nine tenants hang at once then a tenth still finds a place', () => {
  const places = createPlaces(() => 50);
  for (const tenant of 'abcdefghi') expect(grab(places, tenant).length).toBeGreaterThan(0);
  expect(places.taken()).toBe(49);
  expect(places.tryTake('quiet')).not.toBeNull();
});

test('when attempts are quick then a lone tenant gets nine tenths, and one slow attempt takes it back', () => {
  const places = createPlaces(() => 50);
  const first = places.tryTake('busy');
  for (let n = 0; n < 100; n += 1) first?.took(5);
  expect(grab(places, 'busy')).toHaveLength(44);
  first?.took(1000);
  expect(places.tryTake('busy')).toBeNull();
});

test('when all places are taken then who waits is let in by who leaves, in order, and a tenant with its share is told so', async () => {
  const places = createPlaces(() => 2);
  const [a, b] = [places.tryTake('a'), places.tryTake('b')];
  expect(await places.take('a')).toBeNull();
  const c = places.take('c');
  const d = places.take('d');
  expect(places.tryTake('e')).toBeNull();
  expect(a?.mayKeep()).toBe(false);
  a?.leave();
  a?.leave();
  const got = await c;
  expect(got?.tenant).toBe('c');
  b?.leave();
  expect((await d)?.tenant).toBe('d');
  expect(places.taken()).toBe(2);
});

test('when there are more places all at once then they are used, and with fewer nobody new comes in', () => {
  let all = 10;
  const places = createPlaces(() => all);
  const got = grab(places, 'a');
  expect(got).toHaveLength(5);
  all = 100;
  expect(grab(places, 'a')).toHaveLength(15);
  all = 1;
  expect(places.tryTake('b')).toBeNull();
});
