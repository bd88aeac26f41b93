import { expect, onTestFinished, test } from 'vitest';
import { createEgress, type EgressOptions } from './egress.ts';
import { postOnce } from './post.ts';

/** No test here opens a socket: every connection is refused before. */
function post(url: string, addresses: readonly string[], options: EgressOptions = {}) {
  const asked: string[] = [];
  const resolve = async (host: string) => {
    asked.push(host);
    return addresses;
  };
  const egress = createEgress({ resolve, ...options });
  onTestFinished(() => egress.close());
  return postOnce(egress, { url, headers: {}, body: '' }).then((result) => ({ result, asked }));
}

test.each([
  ['127.0.0.1'],
  ['0.0.0.0'],
  ['10.0.0.1'],
  ['192.168.1.1'],
  ['172.20.0.1'],
  ['100.64.0.1'],
  ['169.254.169.254'],
  ['168.63.129.16'],
  ['224.0.0.1'],
  ['255.255.255.255'],
  ['::1'],
  ['::'],
  ['::ffff:127.0.0.1'],
  ['64:ff9b::7f00:1'],
  ['64:ff9b:1::1'],
  ['2002:7f00:1::'],
  ['2001::1'],
  ['fe80::1%1'],
  ['fd00::1'],
  ['2001:db8::1'],
  ['10.0.0.1', 'fd00::1', '127.0.0.1'],
  ['not an address'],
  ['2130706433'],
  ['127.1'],
  [],
])('a name that resolves to %s … is not called', async (...addresses) => {
  const { result, asked } = await post('http://innocent.example/', addresses);
  expect(result).toMatchObject({
    ok: false,
    phase: 'dns',
    code: 'forbidden_address',
    error: 'the host has no address that may be called',
  });
  expect(asked).toEqual(['innocent.example']);
});

test('what is said of a refused name does not give its address away', async () => {
  const { result } = await post('http://internal.example/', ['10.11.12.13']);
  expect(JSON.stringify(result)).not.toContain('10.11');
});

test('the name is looked up without its trailing dot, and as ASCII', async () => {
  expect((await post('http://Bücher.Example./', ['10.0.0.1'])).asked).toEqual(['xn--bcher-kva.example']);
});

test.each(['http://127.0.0.1/', 'http://[::1]/', 'http://localhost/', 'http://x.localhost./'])(
  'the guard of the connection itself refuses %s, should a URL get past the first check',
  async (url) => {
    const egress = createEgress({ resolve: () => Promise.reject(new Error('must not be asked')) });
    onTestFinished(() => egress.close());
    const careless = { dispatcher: egress.dispatcher, admit: (text: string) => new URL(text) };
    expect(await postOnce(careless, { url, headers: {}, body: '' })).toMatchObject({ code: 'forbidden_address', phase: 'dns' });
  },
);
