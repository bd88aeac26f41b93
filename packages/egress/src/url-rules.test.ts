import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAddressRules } from './address-rules.ts';
import { inspectUrl, literalAddresses } from './url-rules.ts';

const forbidden = createAddressRules();
const problemOf = (url: string) => inspectUrl(url, forbidden).problem?.code;

/** The attack table: what a caller may try, by what must stop it before any look-up. */
const ATTACKS: Readonly<Record<string, readonly string[]>> = {
  'forbidden_address: loopback in every spelling': [
    'http://127.0.0.1/',
    'http://127.0.0.1:6379/',
    'https://127.0.0.1/hooks?x=1#y',
    'http://127.1/',
    'http://127.0.1/',
    'http://127.255.255.254/',
    'http://2130706433/',
    'http://017700000001/',
    'http://0177.0.0.1/',
    'http://0177.0.0.01/',
    'http://0x7f.0.0.1/',
    'http://0x7f.1/',
    'http://0x7F000001/',
    'http://0x7f.0x0.0x0.0x1/',
    'http://0177.0x0.0.1/',
    'http://127.0.0.1./',
    'http://127.0.0.01/',
    'http://%31%32%37.0.0.1/',
    'http://127%2e0%2e0%2e1/',
    'http://127。0。0。1/',
    'http://127.0.0．1/',
    'http://１２７.0.0.1/',
    'http://①②⑦.⓪.⓪.①/',
    'http://𝟏𝟐𝟕.𝟎.𝟎.𝟏/',
    'http:\\\\127.0.0.1\\',
    'http:127.0.0.1',
    'http:/127.0.0.1',
    'http:///127.0.0.1',
    'HTTP://127.0.0.1/',
    'http://localhost/',
    'http://LocalHost:8080/',
    'http://localhost./',
    'http://a.b.localhost/',
    'http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/',
    'http://loc%61lhost/',
    'http://local\u00adhost/',
    'http://[::1]/',
    'http://[0:0:0:0:0:0:0:1]/',
    'http://[0000::0001]:80/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::FFFF:7F00:1]/',
    'http://[0:0:0:0:0:ffff:127.0.0.1]/',
    'http://[::127.0.0.1]/',
    'http://[::7f00:1]/',
    'http://[::ffff:0:127.0.0.1]/',
  ],
  'forbidden_address: unspecified, which systems take for loopback': [
    'http://0/',
    'http://0.0.0.0/',
    'http://0x0/',
    'http://00000000/',
    'http://0.1.2.3/',
    'http://[::]/',
    'http://[::0.0.0.0]/',
  ],
  'forbidden_address: metadata services': [
    'http://169.254.169.254/latest/meta-data/',
    'http://2852039166/',
    'http://0xa9fea9fe/',
    'http://0251.0376.0251.0376/',
    'http://169.254.43518/',
    'http://[::ffff:169.254.169.254]/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://[64:ff9b::169.254.169.254]/',
    'http://[2002:a9fe:a9fe::]/',
    'http://169.254.170.2/v2/credentials',
    'http://169.254.0.23/',
    'http://100.100.100.200/',
    'http://192.0.0.192/opc/v2/',
    'http://168.63.129.16/machine',
    'http://[fd00:ec2::254]/latest/meta-data/',
    'http://[fd20:ce::254]/',
  ],
  'forbidden_address: private networks': [
    'http://10.0.0.1/',
    'http://10.255.255.255/',
    'http://167772161/',
    'http://012.0.0.1/',
    'http://0xa.1/',
    'http://10.1/',
    'http://172.16.0.1/',
    'http://172.31.255.255/',
    'http://192.168.0.1/',
    'http://192.168.1/',
    'http://0xC0A80101/',
    'http://100.64.0.1/',
    'http://100.127.255.255/',
    'http://[fc00::1]/',
    'http://[fdff:ffff::1]/',
    'http://[fec0::1]/',
    'http://[fe80::1]/',
    'http://[febf::1]/',
    'http://169.254.1.1/',
  ],
  'forbidden_address: IPv4 carried in IPv6': [
    'http://[::ffff:10.0.0.1]/',
    'http://[::ffff:8.8.8.8]/',
    'http://[::10.0.0.1]/',
    'http://[::ffff:0:10.0.0.1]/',
    'http://[64:ff9b::10.0.0.1]/',
    'http://[64:ff9b::8.8.8.8]/',
    'http://[64:ff9b:1::10.0.0.1]/',
    'http://[64:ff9b:1:ffff::1]/',
    'http://[2002:0a00:0001::]/',
    'http://[2002:7f00:1::1]/',
    'http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/',
  ],
  'forbidden_address: nobody who could receive': [
    'http://192.0.2.1/',
    'http://198.51.100.1/',
    'http://203.0.113.1/',
    'http://198.18.0.1/',
    'http://198.19.255.255/',
    'http://192.88.99.1/',
    'http://224.0.0.1/',
    'http://239.255.255.250:1900/',
    'http://240.0.0.1/',
    'http://255.255.255.255/',
    'http://4294967295/',
    'http://0xffffffff/',
    'http://[ff02::1]/',
    'http://[100::1]/',
    'http://[2001:db8::1]/',
    'http://[2001:2::1]/',
    'http://[2001:10::1]/',
    'http://[3fff::1]/',
    'http://[5f00::1]/',
    'http://[1::1]/',
    'http://[4000::1]/',
    'http://[8000::1]/',
  ],
  'credentials: in the URL, or made to look like a host': [
    'http://user@example.com/',
    'http://user:pw@example.com/',
    'http://:pw@example.com/',
    'http://example.com@127.0.0.1/',
    'http://example.com:80@169.254.169.254/',
    'http://example.com%40127.0.0.1@10.0.0.1/',
    'http://user:pw@[::1]/',
  ],
  'scheme: not http': [
    'ftp://example.com/',
    'file:///etc/passwd',
    'gopher://127.0.0.1:6379/_FLUSHALL',
    'ws://example.com/',
    'javascript:alert(1)',
    'data:text/plain,x',
    'unix:/var/run/docker.sock',
    'redis://127.0.0.1/',
    'blob:http://127.0.0.1/x',
    'localhost:8080/hooks',
  ],
  'invalid_url: not one, or one that readers disagree about': [
    '',
    ' ',
    '/hooks',
    '//127.0.0.1/',
    'example.com',
    'http://',
    'http://?x',
    'http://.',
    'http://a..b/',
    'http://.example.com/',
    'http://example.com../',
    'http://exa mple.com/',
    'http://exa\tmple.com/',
    'http://127.0.0.1\n.example.com/',
    '\u0000http://example.com/',
    'http://example.com/ HTTP/1.1\r\nHost: x',
    'http://example.com:99999/',
    'http://example.com:x/',
    'http://example.com:0/',
    'https://example.com:00/',
    'http://256.256.256.256/',
    'http://1.2.3.4.5/',
    'http://0x7f.0.0.0x100/',
    'http://09.0.0.1/',
    'http://example.0x7f/',
    'http://[::1',
    'http://::1/',
    'http://[127.0.0.1]/',
    'http://[fe80::1%25eth0]/',
    'http://[fe80::1%eth0]/',
    'http://[::1%lo]/',
    'http://[v1.fe80::a]/',
    'http://[::ffff:127.1]/',
    'http://exa<mple.com/',
    'http://example%00.com/',
    `http://${'a'.repeat(64)}.com/`,
    `http://${'a.'.repeat(127)}com/`,
  ],
  'url_too_long: above 2048 characters': [`http://example.com/${'a'.repeat(2030)}`],
};

const attacks = Object.entries(ATTACKS).flatMap(([group, urls]) => urls.map((url) => [group.split(':')[0], url] as const));

test('the attack table is as long as it promises', () =>
  expect(new Set(attacks.map(([, url]) => url)).size).toBeGreaterThanOrEqual(150));

test.each(attacks)('%s: %j is refused', (code, url) => expect(problemOf(url)).toBe(code));

test.each([
  'https://example.com/hooks',
  'http://example.com:8080/a/b?c=d#e',
  'https://example.com./',
  'https://bücher.example/',
  'https://xn--bcher-kva.example/',
  'https://my_host.example/',
  'https://10.0.0.1.example.com/',
  'https://127.0.0.1.nip.io/', // only a look-up can tell: the connection refuses it
  'https://localhost.example.com/',
  'https://notlocalhost/',
  'https://8.8.8.8/',
  'https://134744072/',
  'https://172.32.0.1/',
  'https://100.63.255.255/',
  'https://[2606:4700::1111]/',
  'https://[2a00:1450:4001::200e]/',
  'https://example.com/@user:pw',
])('%s is taken', (url) => expect(problemOf(url)).toBeUndefined());

test('a URL of 2048 characters is taken', () => expect(problemOf(`http://example.com/${'a'.repeat(2029)}`)).toBeUndefined());

test('what is called is the parsed host, not the text', () => {
  const { url } = inspectUrl('https://Ex\u00adample.COM:443/A b'.replace(' ', '%20'), forbidden);
  expect(url?.href).toBe('https://example.com/A%20b');
});

test('an exception opens a literal address and its localhost', () => {
  const open = createAddressRules(['127.0.0.0/8', '::1']);
  expect(inspectUrl('http://127.0.0.1:3000/', open).problem).toBeUndefined();
  expect(inspectUrl('http://localhost:3000/', open).problem).toBeUndefined();
  expect(inspectUrl('http://localhost/', createAddressRules(['127.0.0.1'])).problem).toBeUndefined();
  expect(inspectUrl('http://10.0.0.1/', open).problem?.code).toBe('forbidden_address');
});

test.each([
  ['http://localhost:3000/hooks', true],
  ['http://10.0.0.1/', true],
  ['http://169.254.169.254/latest', false],
])('when %s is refused then a caller who may mean it is shown how it is opened: %s', (text, isTold) => {
  expect(inspectUrl(text, createAddressRules([])).problem?.message.includes('EGRESS_ALLOW')).toBe(isTold);
});

test('localhost is loopback without a look-up; other names are not known by themselves', () => {
  expect(literalAddresses('api.localhost')).toEqual(['127.0.0.1', '::1']);
  expect(literalAddresses('10.0.0.1')).toEqual(['10.0.0.1']);
  expect(literalAddresses('example.com')).toEqual([]);
});

test('no spelling of a private IPv4 address gets through', () => {
  const radix = [(n: number) => String(n), (n: number) => `0${n.toString(8)}`, (n: number) => `0x${n.toString(16)}`];
  const part = fc.integer({ min: 0, max: 255 });
  const spell = fc.constantFrom(...radix);
  const first = fc.constantFrom([10], [127], [192, 168], [172, 16], [169, 254], [0]);
  fc.assert(
    fc.property(
      first,
      fc.array(part, { minLength: 4, maxLength: 4 }),
      fc.array(spell, { minLength: 4, maxLength: 4 }),
      fc.integer({ min: 1, max: 4 }),
      (head, tail, spells, parts) => {
        const bytes = [...head, ...tail].slice(0, 4);
        // The last part of a short form holds all the bytes that are left.
        const numbers = [...bytes.slice(0, parts - 1), bytes.slice(parts - 1).reduce((sum, byte) => sum * 256 + byte, 0)];
        const host = numbers.map((n, i) => spells[i]?.(n) ?? '').join('.');
        expect(problemOf(`http://${host}/`), host).toBe('forbidden_address');
      },
    ),
  );
});

test('whatever passes has a scheme of ours and no credentials', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.webUrl(),
        fc.string(),
        fc.webUrl({ validSchemes: ['http', 'ftp', 'ws'] }).map((url) => url.replace('//', '//u:p@')),
      ),
      (text) => {
        const { url } = inspectUrl(text, forbidden);
        if (url === undefined) return;
        expect(['http:', 'https:']).toContain(url.protocol);
        expect(url.username + url.password).toBe('');
      },
    ),
  );
});
