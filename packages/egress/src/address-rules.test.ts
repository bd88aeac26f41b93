import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { expect, test } from 'vitest';
import { createAddressRules, FORBIDDEN_RANGES } from './address-rules.ts';

const forbidden = createAddressRules();

test.each([
  ['127.0.0.1', 'loopback'],
  ['10.1.2.3', 'private'],
  ['169.254.169.254', 'metadata'],
  ['169.254.1.1', 'link-local'],
  ['168.63.129.16', 'metadata'],
  ['100.64.0.1', 'carrier-grade NAT'],
  ['255.255.255.255', 'broadcast'],
  ['250.0.0.1', 'reserved'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['::ffff:8.8.8.8', 'IPv4-mapped'],
  ['64:ff9b::808:808', 'NAT64'],
  ['64:ff9b:1::1', 'NAT64'],
  ['2002:808:808::1', '6to4'],
  ['2001:0:1::1', 'Teredo'],
  ['fe80::1%eth0', 'link-local'],
  ['fd00:ec2::254', 'metadata'],
  ['fd12::1', 'unique local'],
  ['ff0e::1', 'multicast'],
  ['1234::1', 'reserved'],
  ['e000::1', 'reserved'],
])('%s is %s', (address, kind) => expect(forbidden(address)).toBe(kind));

test.each([
  '8.8.8.8',
  '1.1.1.1',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '223.255.255.255',
  '2606:4700::1111',
  '2001:4860:4860::8888',
  '3ffe::1',
])('%s is public', (address) => expect(forbidden(address)).toBeUndefined());

test.each(['', 'example.com', '127.1', '0177.0.0.1', '2130706433', '[::1]', '127.0.0.1:80', ' 8.8.8.8'])(
  'a look-up that answers %j, which is no address, is refused',
  (text) => expect(forbidden(text)).toBe('unreadable'),
);

test('the first and the last address of every range are refused, as they stand in the table', () => {
  for (const [cidr] of FORBIDDEN_RANGES) {
    const [base, bits] = ipaddr.parseCIDR(cidr);
    const first = base.toByteArray();
    const last = first.map((byte, index) => byte | (255 >> Math.min(8, Math.max(0, bits - 8 * index))));
    expect(forbidden(base.toString()), cidr).toBeDefined();
    expect(forbidden(ipaddr.fromByteArray(last).toString()), `end of ${cidr}`).toBeDefined();
  }
});

test('everything that ipaddr.js knows to be special is refused', () => {
  const bytes = (length: number) => fc.array(fc.integer({ min: 0, max: 255 }), { minLength: length, maxLength: length });
  const anywhere = fc.oneof(bytes(4), bytes(16));
  const special = fc
    .constantFrom(...Object.values({ ...rangesOf('10.0.0.0'), ...rangesOf('::') }).flat())
    .chain(([base, bits]) => bytes(base.toByteArray().length).map((noise) => blend(base.toByteArray(), noise, bits)));
  fc.assert(
    fc.property(fc.oneof(anywhere, special), (raw) => {
      const address = ipaddr.fromByteArray(raw);
      if (address.range() !== 'unicast') expect(forbidden(address.toString()), address.toString()).toBeDefined();
    }),
    { numRuns: 2_000 },
  );
});

test('an exception opens its range and nothing beside it', () => {
  const rules = createAddressRules(['10.1.0.0/16', ' 192.168.1.7 ', 'fd00::/8']);
  expect(rules('10.1.255.255')).toBeUndefined();
  expect(rules('10.2.0.0')).toBe('private');
  expect(rules('192.168.1.7')).toBeUndefined();
  expect(rules('192.168.1.8')).toBe('private');
  expect(rules('fd12::1')).toBeUndefined();
  expect(rules('fe80::1')).toBe('link-local');
  expect(rules('::ffff:10.1.0.1')).toBe('IPv4-mapped');
});

test('an exception for NAT64 opens the gateway, not what is private behind it', () => {
  const rules = createAddressRules(['64:ff9b::/96']);
  expect(rules('64:ff9b::808:808')).toBeUndefined();
  expect(rules('64:ff9b::a9fe:a9fe')).toBe('metadata');
  expect(createAddressRules(['::/0'])('64:ff9b::a00:1')).toBe('private');
});

test.each([
  '',
  '10/8',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '::/129',
  'fe80::1%eth0/64',
  'localhost',
  '0x7f.0.0.1',
  '10.0.0.0/8,::1',
])('the exception %j is not understood, and named', (entry) =>
  expect(() => createAddressRules([entry])).toThrow(`"${entry}" is not a range`),
);

type Range = [ReturnType<typeof ipaddr.parse>, number];

/** The table of ipaddr.js, which its types leave out. */
function rangesOf(address: string): Record<string, Range[]> {
  const parsed: object = ipaddr.parse(address);
  const table = 'SpecialRanges' in parsed ? (parsed.SpecialRanges as Record<string, Range | Range[]>) : {};
  return Object.fromEntries(
    Object.entries(table).map(([name, ranges]) => [name, (Array.isArray(ranges[0]) ? ranges : [ranges]) as Range[]]),
  );
}

function blend(base: number[], noise: number[], bits: number): number[] {
  return base.map((byte, index) => {
    const mask = 255 >> Math.min(8, Math.max(0, bits - 8 * index));
    return (byte & ~mask) | ((noise[index] ?? 0) & mask);
  });
}
