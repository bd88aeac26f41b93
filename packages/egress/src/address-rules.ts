import { isIP, isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Where no caller's URL may lead, and why. From the IANA special-purpose address registries, and the metadata services
 * that clouds put on addresses of their own. The first match names the range, so a narrow range comes before a wide one.
 */
export const FORBIDDEN_RANGES: readonly (readonly [cidr: string, kind: string])[] = [
  ['0.0.0.0/8', 'unspecified'],
  ['10.0.0.0/8', 'private'],
  ['100.100.100.200/32', 'metadata'], // Alibaba Cloud
  ['100.64.0.0/10', 'carrier-grade NAT'],
  ['127.0.0.0/8', 'loopback'],
  ['168.63.129.16/32', 'metadata'], // Azure, on a public address
  ['169.254.169.254/32', 'metadata'], // AWS, Google Cloud, Azure, OpenStack and most others
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.192/32', 'metadata'], // Oracle Cloud
  ['192.0.0.0/24', 'protocol assignment'],
  ['192.0.2.0/24', 'documentation'],
  ['192.31.196.0/24', 'AS112'],
  ['192.52.193.0/24', 'multicast tunnel'],
  ['192.88.99.0/24', '6to4 relay'],
  ['192.168.0.0/16', 'private'],
  ['192.175.48.0/24', 'AS112'],
  ['198.18.0.0/15', 'benchmark'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['255.255.255.255/32', 'broadcast'],
  ['240.0.0.0/4', 'reserved'],

  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['::ffff:0:0/96', 'IPv4-mapped'],
  ['::ffff:0:0:0/96', 'IPv4-translated'],
  ['::/96', 'IPv4-compatible'],
  ['64:ff9b::/96', 'NAT64'],
  ['64:ff9b:1::/48', 'NAT64'],
  ['100::/64', 'discard'],
  ['2001::/32', 'Teredo'],
  ['2001:2::/48', 'benchmark'],
  ['2001::/23', 'protocol assignment'],
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', '6to4'],
  ['2620:4f:8000::/48', 'AS112'],
  ['3fff::/20', 'documentation'],
  ['fd00:ec2::254/128', 'metadata'], // AWS
  ['fd20:ce::254/128', 'metadata'], // Google Cloud
  ['fc00::/7', 'unique local'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'site-local'],
  ['ff00::/8', 'multicast'],
  // Only 2000::/3 is handed out; the rest of the space is not assigned to any receiver.
  ['::/3', 'reserved'],
  ['4000::/2', 'reserved'],
  ['8000::/1', 'reserved'],
];

/** The last four bytes of a NAT64 address are an IPv4 address to which the network's gateway connects in our name. */
const NAT64 = '64:ff9b::/96';

type Address = ReturnType<typeof ipaddr.parse>;
type Range = readonly [Address, number];

/** Says of an IP address why it must not be connected to; `undefined` when it may. */
export type AddressRules = (address: string) => string | undefined;

/**
 * Rules that forbid {@link FORBIDDEN_RANGES} but for the exceptions in `allow` (CIDRs or single addresses, as in
 * `EGRESS_ALLOW`). An exception for NAT64 opens the gateway, not what is private behind it: the IPv4 address inside is judged as well.
 * An exception for `10.0.0.0/8` does not open `::ffff:10.0.0.1`. Throws a TypeError that names an entry it cannot read.
 */
export function createAddressRules(allow: readonly string[] = []): AddressRules {
  const allowed = allow.map(parseRange);
  const forbidden = FORBIDDEN_RANGES.map(([cidr, kind]) => ({ range: parseRange(cidr), kind }));
  const nat64 = parseRange(NAT64);

  const judge = (address: Address): string | undefined => {
    if (!allowed.some((range) => contains(range, address))) return forbidden.find(({ range }) => contains(range, address))?.kind;
    return contains(nat64, address) ? judge(ipaddr.fromByteArray(address.toByteArray().slice(-4))) : undefined;
  };
  return (text) => (isIP(text) === 0 ? 'unreadable' : judge(ipaddr.parse(text)));
}

function contains([base, bits]: Range, address: Address): boolean {
  return base.kind() === address.kind() && address.match(base, bits);
}

/** Strict about the address part: left to itself, ipaddr.js takes `10/8` for 0.0.0.10/8. */
function parseRange(text: string): Range {
  const [address = '', bits, ...rest] = text.trim().split('/');
  const most = isIPv4(address) ? 32 : 128;
  const length = bits === undefined ? most : Number(/^\d{1,3}$/.test(bits) ? bits : Number.NaN);
  if (isIP(address) === 0 || address.includes('%') || rest.length > 0 || !(length <= most)) {
    throw new TypeError(`"${text}" is not a range of addresses; write it like 10.0.0.0/8 or fd00::/8`);
  }
  return [ipaddr.parse(address), length];
}
