import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { createAddressRules } from './address-rules.ts';
import type { Resolve } from './resolver.ts';
import { literalAddresses } from './url-rules.ts';

/** A service of this installation, to which no URL that comes from outside may lead, whatever `EGRESS_ALLOW` opens. */
export interface OwnService {
  /** The variable that sets it, for messages. */
  readonly name: string;
  readonly port: number;
  /** Where it is; without one it listens on any address of this machine. */
  readonly host?: string;
}

/** Says of an address and port which service of ours is there; `undefined` when none is. */
export interface OwnServices {
  /** By what stands in a URL alone: an address, or the very name that the configuration has. */
  named(host: string, port: number): string | undefined;
  /** For the addresses to which a connection is about to be made. A name of the configuration is looked up, but only where the port is its. */
  at(port: number): Promise<(address: string) => string | undefined>;
}

export interface OwnServicesOptions {
  readonly services: readonly OwnService[];
  /** Looks a name up as the clients of our own services do; by default as the system does, its hosts file included. */
  readonly resolve?: Resolve;
  /** Addresses of the interfaces of this machine. */
  readonly interfaces?: () => readonly string[];
}

const resolveHere: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

const interfacesHere = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address));

/** One text for one address: an IPv4 address inside an IPv6 one is that address. */
function plain(address: string): string {
  const [text = ''] = address.split('%');
  return ipaddr.isValid(text) ? ipaddr.process(text).toNormalizedString() : text;
}

const LOCAL = ['loopback', 'unspecified'];

export function createOwnServices({
  services,
  resolve = resolveHere,
  interfaces = interfacesHere,
}: OwnServicesOptions): OwnServices {
  const kindOf = createAddressRules();

  const isHere = (address: string): boolean =>
    LOCAL.includes(kindOf(address) ?? '') || interfaces().some((each) => plain(each) === address);

  const isAt = (at: readonly string[], address: string): boolean =>
    at.map(plain).some((each) => each === address || (isHere(each) && isHere(address)));

  /** Other things stand behind the name of a large object store too; what is public needs no guard of ours. */
  const isOf = (service: OwnService, at: readonly string[], address: string): boolean =>
    service.host === undefined ? isHere(address) : kindOf(address) !== undefined && isAt(at, address);

  const onPort = (port: number) => services.filter((service) => service.port === port);

  return {
    named(host, port) {
      const there = onPort(port);
      if (there.length === 0) return undefined;
      const literal = literalAddresses(host).map(plain);
      return there.find((service) => {
        const own = service.host ?? '';
        if (literal.length === 0) return own.toLowerCase() === host.toLowerCase() && isPrivateName(own);
        return literal.every((address) => isOf(service, literalAddresses(own), address));
      })?.name;
    },
    async at(port) {
      const known = await Promise.all(
        onPort(port).map(async (service) => {
          const own = service.host ?? '';
          const literal = literalAddresses(own);
          return { service, at: literal.length > 0 || own === '' ? literal : await resolve(own).catch(() => []) };
        }),
      );
      return (address) => known.find(({ service, at }) => isOf(service, at, plain(address)))?.service.name;
    },
  };
}

/** Without a dot a name means something inside this installation only. */
const isPrivateName = (name: string): boolean => name !== '' && !name.includes('.');
