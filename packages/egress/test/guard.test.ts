import { execFile } from 'node:child_process';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { createEgress, createResolver, download, type EgressOptions, postOnce } from '../src/index.ts';
import { certificate } from './certificate.ts';
import { startDns } from './dns-server.ts';
import { startHttp, startHttps, startTcp } from './servers.ts';

function egressFor(options: EgressOptions) {
  const egress = createEgress({ allow: ['127.0.0.1'], ...options });
  onTestFinished(() => egress.close());
  return { ...egress, post: (url: string) => postOnce(egress, { url, headers: {}, body: '{}' }) };
}

/** Answers and closes, so that the next request needs a new connection and with it a new look-up. */
const startClosing = () => startHttp((_, response) => void response.writeHead(200, { connection: 'close' }).end('ok'));

test('a name that turns to a forbidden address after its first answer is called once, and never again', async () => {
  const server = await startClosing();
  let queries = 0;
  const dns = await startDns((_, type) => {
    if (type === 'AAAA') return [];
    queries += 1;
    return [queries === 1 ? '127.0.0.1' : '127.0.0.2'];
  });
  const { post } = egressFor({ resolve: createResolver({ servers: [dns.server] }) });
  const url = `http://rebind.example:${server.port}/`;

  expect(await post(url)).toMatchObject({ ok: true });
  expect(dns.asked.sort()).toEqual(['A rebind.example', 'AAAA rebind.example']); // no second look-up between check and connection
  expect(await post(url)).toMatchObject({ ok: false, code: 'forbidden_address' });
  expect(server.connections()).toBe(1);
});

test('a name that flips with every answer leads to the checked address only', async () => {
  const server = await startClosing();
  let asked = 0;
  const resolve = async () => [asked++ % 2 === 0 ? '127.0.0.1' : '169.254.169.254'];
  const { post } = egressFor({ resolve });
  const results = [];
  for (let i = 0; i < 6; i += 1) results.push((await post(`http://flip.example:${server.port}/`)).ok);
  expect(results).toEqual([true, false, true, false, true, false]);
  expect(asked).toBe(6);
  expect(server.connections()).toBe(3);
});

test('of a name with permitted and forbidden addresses only the permitted ones are called', async () => {
  const server = await startClosing();
  const dns = await startDns((_, type) => (type === 'A' ? ['127.0.0.2', '127.0.0.1', '10.0.0.1'] : ['::1', '::ffff:127.0.0.1']));
  const { post } = egressFor({ resolve: createResolver({ servers: [dns.server] }) });
  expect(await post(`http://mixed.example:${server.port}/`)).toMatchObject({ ok: true });
});

test('when one permitted address does not answer, the next is tried', async () => {
  const server = await startClosing();
  const { post } = egressFor({ allow: ['127.0.0.0/8', '::1'], resolve: async () => ['::1', '127.0.0.9', '127.0.0.1'] });
  expect(await post(`http://many.example:${server.port}/`)).toMatchObject({ ok: true });
});

test('a name that does not exist, and one without addresses, fail in phase dns', async () => {
  const dns = await startDns((name) => (name === 'empty.example' ? [] : 'no such name'));
  const { post } = egressFor({ resolve: createResolver({ servers: [dns.server] }) });
  expect(await post('http://missing.example/')).toMatchObject({
    phase: 'dns',
    code: 'dns',
    error: 'the look-up of the host failed (ENOTFOUND)',
  });
  expect(await post('http://empty.example/')).toMatchObject({
    phase: 'dns',
    code: 'dns',
    error: 'the look-up of the host failed (ENODATA)',
  });
});

test('a name server that stays silent for one caller holds up nobody else', async () => {
  const server = await startClosing();
  const dns = await startDns((name, type) => (name === 'silent.example' ? 'silence' : type === 'A' ? ['127.0.0.1'] : []));
  const { post } = egressFor({ connectMs: 400, resolve: createResolver({ servers: [dns.server] }) });
  const silent = Array.from({ length: 50 }, () => post('http://silent.example/'));
  const order: string[] = [];
  const waiting = Promise.all(silent).then((results) => {
    order.push('silent');
    return results;
  });
  expect((await post(`http://good.example:${server.port}/`)).ok).toBe(true);
  order.push('good');
  expect((await waiting).every(({ phase, code }) => phase === 'dns' && code === 'timeout')).toBe(true);
  expect(order).toEqual(['good', 'silent']);
});

test('a name that has only one kind of address is called, whatever is said of the other kind', async () => {
  const server = await startClosing();
  const dns = await startDns((_, type) => (type === 'A' ? ['127.0.0.1'] : 'no such name'));
  const { post } = egressFor({ resolve: createResolver({ servers: [dns.server] }) });
  expect(await post(`http://four.example:${server.port}/`)).toMatchObject({ ok: true });
});

test('when name servers stay silent about one kind of address then the other kind is called before the connection is given up', async () => {
  const server = await startClosing();
  const answer = (kind: 'A' | 'AAAA') => (_: string, type: 'A' | 'AAAA') =>
    type === kind ? ADDRESS[kind] : ('silence' as const);
  const ADDRESS = { A: ['127.0.0.1'], AAAA: ['::1'] };
  const [four, alsoFour, six] = [await startDns(answer('A')), await startDns(answer('A')), await startDns(answer('AAAA'))];
  const { post } = egressFor({ resolve: createResolver({ servers: [four.server, alsoFour.server] }) });
  expect(await post(`http://four.example:${server.port}/`)).toMatchObject({ ok: true });
  expect(await createResolver({ servers: [six.server] })('six.example')).toEqual(ADDRESS.AAAA);
});

test('neither the hosts file nor a search domain is asked', async () => {
  const dns = await startDns(() => 'no such name');
  const { post } = egressFor({ resolve: createResolver({ servers: [dns.server] }) });
  expect(await post('http://redis/')).toMatchObject({ code: 'dns' });
  expect(new Set(dns.asked)).toEqual(new Set(['A redis', 'AAAA redis']));
});

test('a redirect to a name that resolves to the metadata address is refused', async () => {
  const server = await startHttp((_, response) => response.writeHead(307, { location: 'http://metadata.example/latest/' }).end());
  const dns = await startDns((name, type) =>
    type === 'A' ? [name === 'metadata.example' ? '169.254.169.254' : '127.0.0.1'] : [],
  );
  const egress = egressFor({ resolve: createResolver({ servers: [dns.server] }) });
  await expect(download(egress, `http://files.example:${server.port}/a.png`)).rejects.toMatchObject({
    code: 'forbidden_address',
    phase: 'dns',
  });
});

test('over TLS the certificate is held against the name, not the address', async () => {
  const names: (string | false | null | undefined)[] = [];
  const server = await startHttps(certificate, (request, response) => {
    names.push((request.socket as TLSSocket & { servername?: string | false | null }).servername);
    response.end('ok');
  });
  const resolve = async () => ['127.0.0.1'];
  const trusting = egressFor({ resolve, ca: certificate.cert });
  expect(await trusting.post(`https://hooks.example:${server.port}/`)).toMatchObject({ ok: true });
  expect(await trusting.post(`https://hooks.example.:${server.port}/`)).toMatchObject({ ok: true });
  expect(await trusting.post(`https://127.0.0.1:${server.port}/`)).toMatchObject({ ok: true });
  expect(await trusting.post(`https://other.example:${server.port}/`)).toMatchObject({
    phase: 'tls',
    error: 'the TLS handshake failed (ERR_TLS_CERT_ALTNAME_INVALID)',
  });
  expect(names).toEqual(['hooks.example', 'hooks.example', false]);
  expect(await egressFor({ resolve }).post(`https://hooks.example:${server.port}/`)).toMatchObject({
    phase: 'tls',
    error: 'the TLS handshake failed (DEPTH_ZERO_SELF_SIGNED_CERT)',
  });
});

test('a server that hangs up in the handshake fails in phase tls', async () => {
  const server = await startTcp((socket) => void socket.once('data', () => socket.destroy()));
  expect(await egressFor({}).post(`https://127.0.0.1:${server.port}/`)).toMatchObject({ phase: 'tls', code: 'connect' });
});

test('proxy variables in the environment are ignored', async () => {
  const server = await startClosing();
  const proxy = await startTcp((socket) => void socket.destroy());
  const variables = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'];
  const env = {
    ...process.env,
    ...Object.fromEntries(variables.map((name) => [name, proxy.url])),
    NO_PROXY: '',
    no_proxy: '',
    NODE_USE_ENV_PROXY: '1',
  };
  const script = `
    import { createEgress, postOnce } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
    const egress = createEgress({ allow: ['127.0.0.1'] });
    const viaFetch = await fetch(process.argv[1]).then(() => 'direct', () => 'proxied');
    const { ok } = await postOnce(egress, { url: process.argv[1], headers: {}, body: '{}' });
    await egress.close();
    console.log(JSON.stringify({ viaFetch, ok }));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, server.url], { env });
  // That fetch goes through the proxy shows that the variables were in force.
  expect(JSON.parse(stdout)).toEqual({ viaFetch: 'proxied', ok: true });
  expect(server.connections()).toBe(1);
});

test('when a name leads to a port of our own then no byte goes there, by webhook, link or redirect, and other ports are called', async () => {
  const ours = await startClosing();
  const [receiver, redirecting] = [
    await startClosing(),
    await startHttp((_, response) => void response.writeHead(302, { location: `http://innocent.example:${ours.port}//` }).end()),
  ];
  const { post, ...egress } = egressFor({
    own: [{ name: 'HEALTH_PORT', port: ours.port }],
    resolve: async () => ['127.0.0.1'],
  });
  expect(await post(`http://innocent.example:${ours.port}//`)).toMatchObject({
    ok: false,
    code: 'forbidden_address',
    error: expect.stringContaining('this service itself'),
  });
  await expect(download(egress, `http://innocent.example:${redirecting.port}/`)).rejects.toMatchObject({
    code: 'forbidden_address',
  });
  expect(await post(`http://innocent.example:${receiver.port}/`)).toMatchObject({ ok: true });
  expect(ours.connections()).toBe(0);
});
