import { Resolver } from 'node:dns/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** Looks up the addresses of a host name, at least one. Rejects when there are none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** How long one DNS server may take for one question; it is asked twice, which still fits into the limit of a connection. */
const QUESTION_MS = 1_500;
/** For so long the second kind of address is waited for: some name servers never answer about one of them. */
const OTHER_KIND_MS = 300;

/**
 * Asks DNS for A and AAAA, IPv4 first. Not `getaddrinfo`, for two reasons: that one has four threads in the whole
 * process, so a caller whose name servers hang would stop everybody's look-ups and file access; and it reads the hosts file
 * and appends search domains, which lets a caller name the neighbours of our network. `servers` (`address:port`)
 * replace those of the system.
 */
export function createResolver({ servers }: { servers?: readonly string[] } = {}): Resolve {
  const resolver = new Resolver({ timeout: QUESTION_MS, maxTimeout: QUESTION_MS, tries: 2 });
  if (servers !== undefined) resolver.setServers(servers);

  return async (host) => {
    const kinds = [resolver.resolve4(host), resolver.resolve6(host)];
    await Promise.any(kinds).catch(({ errors }: AggregateError) => {
      throw errors[0];
    });
    const late = pause(OTHER_KIND_MS, [], { ref: false });
    const known = await Promise.all(kinds.map((kind) => Promise.race([kind.catch(() => []), late])));
    return known.flat();
  };
}
