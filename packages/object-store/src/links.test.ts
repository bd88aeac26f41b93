import { expect, onTestFinished, test } from 'vitest';
import { type Credentials, createObjectStore } from './s3-object-store.ts';

const KEYS = { accessKeyId: 'AKIA', secretAccessKey: 'secret' };
const MIN = 60_000;
const WEEK_S = 7 * 24 * 3600;

function open(credentials: Credentials | (() => Promise<Credentials>)) {
  const store = createObjectStore({ bucket: 'b', endpoint: 'http://s3.invalid', credentials, checksums: 'when_required' });
  onTestFinished(() => store.close());
  return store;
}

/** When the store takes a link for the last time, had its credentials no end. */
function endOf(url: string): number {
  const { searchParams } = new URL(url);
  const date = (searchParams.get('X-Amz-Date') ?? '').replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5');
  return Date.parse(date) + Number(searchParams.get('X-Amz-Expires')) * 1000;
}

test.each([
  ['credentials without an end', undefined, WEEK_S, 'signature'],
  ['credentials of a role that end first', 20 * MIN, WEEK_S, 'credentials'],
  ['credentials of a role that outlive it', 60 * MIN, 60, 'signature'],
  ['credentials that have ended already', -MIN, 60, 'credentials'],
] as const)('when a link is signed by %s then it is told how long it really lives', async (_what, endsIn, ttlS, by) => {
  const expiration = endsIn === undefined ? undefined : new Date(Date.now() + endsIn);
  const store = open(async () => ({ ...KEYS, sessionToken: 'token', ...(expiration ? { expiration } : {}) }));
  const { url, expiresAt } = await store.signedUrl('k', ttlS);
  expect(expiresAt).toBe(by === 'credentials' ? expiration?.getTime() : endOf(url));
  expect(expiresAt).toBeLessThanOrEqual(endOf(url));
  expect(await store.signsUntil()).toBe(expiration?.getTime() ?? null);
});

test('when credentials are about to end and others come then links live as long as these', async () => {
  const ends = [2 * MIN, 60 * MIN].map((ms) => new Date(Date.now() + ms));
  let asked = 0;
  const store = open(async () => {
    const expiration = ends[Math.min(asked, 1)] ?? new Date(0);
    asked += 1;
    return { ...KEYS, accessKeyId: `AKIA${asked}`, expiration };
  });
  const told = [];
  for (let n = 0; n < 3; n += 1) {
    const { url, expiresAt } = await store.signedUrl('k', WEEK_S);
    const key = new URL(url).searchParams.get('X-Amz-Credential')?.split('/')[0];
    // Never later than the end of what has signed it.
    expect(expiresAt).toBeLessThanOrEqual(ends[key === 'AKIA1' ? 0 : 1]?.getTime() ?? 0);
    told.push(expiresAt);
  }
  expect(told.at(-1)).toBe(ends[1]?.getTime());
});

test('when credentials are set by configuration then links live as long as they are asked to', async () => {
  const { url, expiresAt } = await open(KEYS).signedUrl('k', 90);
  expect(expiresAt).toBe(endOf(url));
});

test('when the clock of the machine is an hour ahead then links are signed with the time that was passed in', async () => {
  const now = Date.now() - 3600_000;
  const store = createObjectStore({
    bucket: 'b',
    endpoint: 'http://s3.invalid',
    credentials: KEYS,
    checksums: 'when_required',
    clock: { now: () => now },
  });
  onTestFinished(() => store.close());
  const { url, expiresAt } = await store.signedUrl('k', 60);
  expect(endOf(url)).toBe(Math.floor(now / 1000) * 1000 + 60_000);
  expect(expiresAt).toBe(endOf(url));
});
