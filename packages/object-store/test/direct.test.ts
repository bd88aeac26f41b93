import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { createObjectStore, type ObjectStoreOptions } from '../src/index.ts';
import { KIB, MIB, random, sha256 } from './bodies.ts';

const KEYS = { accessKeyId: 'AKIA', secretAccessKey: 'secret' };
const PNG = { contentType: 'image/png' };
const KEY = "acme/2031/é +=&'()*.png";

interface Asked {
  readonly request: IncomingMessage;
  readonly body: Buffer;
  readonly port: number | undefined;
}

/** A store that keeps what it was asked, and answers as it is told to. */
async function storeThat(answer: (asked: Asked, response: ServerResponse) => void, more: Partial<ObjectStoreOptions> = {}) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const now = { request, body: Buffer.concat(await request.toArray()), port: request.socket.remotePort };
    asked.push(now);
    answer(now, response);
  });
  const endpoint = await listen(server, onTestFinished);
  const common = { bucket: 'b', endpoint, credentials: KEYS, forcePathStyle: true, checksums: 'when_required' } as const;
  const store = createObjectStore({ ...common, ...more });
  onTestFinished(() => store.close());
  return { store, asked };
}

const yes = (_asked: Asked, response: ServerResponse): void => void response.writeHead(200).end();
const no = (response: ServerResponse, status: number, code: string): void =>
  void response.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code></Error>`);

/** The signature that belongs to a request, by "Create a signed AWS API request" of AWS, and the one that it has. */
function signatures({ request: { method, url = '', headers } }: Asked, secret = KEYS.secretAccessKey): [string, string] {
  const [, scope = '', names = '', has = ''] =
    /Credential=[^/]+\/(\S+), SignedHeaders=(\S+), Signature=(\w+)$/.exec(headers.authorization ?? '') ?? [];
  const [path, query] = url.split('?');
  const lines = names.split(';').map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}\n`);
  const canonical = [method, path, query, lines.join(''), names, headers['x-amz-content-sha256']].join('\n');
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, createHash('sha256').update(canonical).digest('hex')].join(
    '\n',
  );
  const key = scope
    .split('/')
    .reduce<string | Buffer>((k, part) => createHmac('sha256', k).update(part).digest(), `AWS4${secret}`);
  return [createHmac('sha256', key).update(text).digest('hex'), has];
}

test('a put is signed over its path, its headers and its body, with the token of a session', async () => {
  const { store, asked } = await storeThat(yes, { credentials: { ...KEYS, sessionToken: 'token' } });
  const data = random(KIB);
  expect(await store.putBytes(KEY, data, { contentType: 'image/svg+xml' })).toEqual({ bytes: KIB, sha256: sha256(data) });
  const [put] = asked as [Asked];
  expect(put.body.equals(data)).toBe(true);
  expect(put.request.url).toBe('/b/acme/2031/%C3%A9%20%2B%3D%26%27%28%29%2A.png?x-id=PutObject');
  expect(put.request.headers).toMatchObject({
    'content-type': 'image/svg+xml',
    'content-disposition': 'attachment',
    'content-length': String(KIB),
    'x-amz-content-sha256': sha256(data),
    'x-amz-security-token': 'token',
  });
  const [right, has] = signatures(put);
  expect(has).toBe(right);
  const names = /SignedHeaders=(\S+),/.exec(put.request.headers.authorization ?? '')?.[1]?.split(';');
  expect(names).toEqual(expect.arrayContaining(['host', 'x-amz-content-sha256', 'x-amz-date', 'x-amz-security-token']));
});

test('when credentials change then the next put is signed with the new ones', async () => {
  let secret = 'one';
  const credentials = async () => ({ accessKeyId: 'AKIA', secretAccessKey: secret, expiration: new Date(Date.now() + 1000) });
  const { store, asked } = await storeThat(yes, { credentials });
  await store.putBytes(KEY, random(KIB), PNG);
  secret = 'two';
  await store.putBytes(KEY, random(KIB), PNG);
  for (const [n, each] of ['one', 'two'].entries()) {
    const [right, has] = signatures(asked[n] as Asked, each);
    expect(has).toBe(right);
  }
});

test('puts of what is held go over one connection, the large ones too', async () => {
  const { store, asked } = await storeThat(yes);
  for (const size of [0, KIB, 3 * MIB, 8 * MIB]) await store.putBytes(KEY, random(size), PNG);
  expect(new Set(asked.map(({ port }) => port)).size).toBe(1);
});

test.each([
  ['503 SlowDown', 3, 'unavailable'],
  ['500 InternalError', 3, 'unavailable'],
  ['403 AccessDenied', 1, 'denied'],
] as const)('when each answer is %s then %d requests are made in all, and it is %s', async (says, count, code) => {
  const [status = '', name = ''] = says.split(' ');
  const { store, asked } = await storeThat((_asked, response) => no(response, Number(status), name));
  await expect(store.putBytes(KEY, random(KIB), PNG)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(name),
  });
  expect(asked.length).toBe(count);
});

test('when a kept connection is cut as a put goes out then it is put again', async () => {
  const { store, asked } = await storeThat((now, response) =>
    asked.length === 2 ? void now.request.socket.destroy() : yes(now, response),
  );
  for (let n = 0; n < 2; n += 1) await store.putBytes(KEY, random(KIB), PNG);
  expect(asked.length).toBe(3);
});

test('when our clock is an hour behind the store then it is learned from the first put, and the next is taken at once', async () => {
  const ahead = 3600_000;
  const { store, asked } = await storeThat((now, response) => {
    const date = String(now.request.headers['x-amz-date']).replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5');
    response.setHeader('date', new Date(Date.now() + ahead).toUTCString());
    if (Math.abs(Date.parse(date) - ahead - Date.now()) < 60_000) yes(now, response);
    else no(response, 403, 'RequestTimeTooSkewed');
  });
  await store.putBytes(KEY, random(KIB), PNG);
  expect(asked.length).toBe(2);
  await store.putBytes(KEY, random(KIB), PNG);
  expect(asked.length).toBe(3);
});
