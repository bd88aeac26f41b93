import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
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

test.each([
  ['AWS', { region: 'eu-west-1' }],
  ['AWS with a bucket that is no host name', { region: 'eu-west-1', bucket: 'b.with.dots' }],
  ['AWS by an access point', { region: 'us-west-2', bucket: 'arn:aws:s3:us-west-2:123456789012:accesspoint/mine' }],
  ['another store', { endpoint: 'https://s3.example', region: 'auto' }],
  ['a store on a port, by path', { endpoint: 'http://127.0.0.1:9000', forcePathStyle: true }],
  ['a store below a path', { endpoint: 'https://s3.example:8443/base/', forcePathStyle: true }],
  ['a store by its IPv6 address', { endpoint: 'http://[::1]:9000' }],
  ['credentials of a role', { endpoint: 'https://s3.example', credentials: { ...KEYS, sessionToken: 'a token+/=' } }],
])('a link to %s is the one that the SDK signs', async (_name, more) => {
  const now = Date.parse('2031-01-01T00:00:00Z');
  const options = { bucket: 'bucket', credentials: KEYS, ...more };
  const store = createObjectStore({ ...options, checksums: 'when_required', clock: { now: () => now } });
  const none = { requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' } as const;
  const sdk = new S3Client({ region: 'us-east-1', ...none, ...options });
  onTestFinished(() => {
    store.close();
    sdk.destroy();
  });
  for (const Key of ['acme/2031/job_1/1-0.png', "é +=&'()*!~/..//.bin", 'drawing.svg']) {
    const saved = Key.endsWith('.svg') ? { ResponseContentDisposition: 'attachment' } : {};
    const command = new GetObjectCommand({ Bucket: options.bucket, Key, ...saved });
    const { url } = await store.signedUrl(Key, 90);
    expect(url).toBe(await getSignedUrl(sdk, command, { expiresIn: 90, signingDate: new Date(now) }));
  }
});

test('when a link has to be signed otherwise than the rest then the SDK is asked, and says what it lacks', async () => {
  const bucket = 'arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap';
  const store = createObjectStore({ bucket, region: 'us-east-1', credentials: KEYS, checksums: 'when_required' });
  onTestFinished(() => store.close());
  await expect(store.signedUrl('k', 90)).rejects.toMatchObject({
    name: 'ObjectStoreError',
    message: expect.stringContaining('SigV4a'),
  });
});
