import { isIP, isIPv4 } from 'node:net';
import { redisAddressProblem } from '@grsai-jobs/redis/address';
import { z } from 'zod';
import { itemsOf } from './kinds.ts';

/** Kinds of variables that say where something is. What is wrong is reported without repeating the value: it may hold a password. */

const urlOf = (value: string): URL | undefined => (URL.canParse(value) ? new URL(value) : undefined);

/** What is wrong with the address of an HTTP service; `undefined` when nothing is. */
function httpProblem(value: string): string | undefined {
  if (!/^https?:/i.test(value))
    return 'must begin with https:// (or http://): write it in front, as in https://grsaiapi.com or http://localhost:9000';
  if (!/^https?:\/\//i.test(value)) return 'must have two slashes behind https: or http:';
  const url = urlOf(value);
  if (url === undefined) return 'is no address: write it like https://grsaiapi.com or http://localhost:9000';
  // `https://http://host` is an address of a host named http.
  if (/^https?$/.test(url.hostname)) return 'begins with http:// or https:// twice';
  if (url.username !== '' || url.password !== '') return 'must hold no user name and no password';
  if (url.search !== '' || url.hash !== '' || /[?#]$/.test(value)) return 'must end before the ? or #: leave the query out';
  return /[\s,;|]/.test(url.hostname) ? 'must be one address; separate several with commas' : undefined;
}

/** As one writes it: the scheme and host in small letters, no default port, no slash at the end. */
const normal = (value: string): string => {
  const url = new URL(value);
  return url.origin + url.pathname.replace(/\/$/, '');
};

const refuse = (context: z.RefinementCtx, message: string): typeof z.NEVER => {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
};

/** The address of an HTTP service; one slash at its end does not matter. */
export const httpAddress = () =>
  z.string().transform((value, context) => {
    const problem = httpProblem(value);
    return problem === undefined ? normal(value) : refuse(context, problem);
  });

/** What begins the path of each route, and belongs to the client; a path of a proxy in front is fine. */
const ROUTE = /\/(v1|client)(\/|$)/i;

const apiProblem = (value: string): string | undefined =>
  httpProblem(value) ?? (ROUTE.test(new URL(value).pathname) ? WITH_ROUTE : undefined);

/** Addresses of an HTTP API, separated by commas, without the paths of its routes. */
export const apiAddresses = (fallback: readonly [string, ...string[]]) =>
  z
    .string()
    .transform((value, context) => {
      const items = itemsOf(value);
      if (items.length === 0) return refuse(context, 'must name at least one address');
      for (const item of items) {
        const which = items.length === 1 ? '' : `address ${items.indexOf(item) + 1} of ${items.length} `;
        const problem = apiProblem(item);
        if (problem !== undefined) return refuse(context, which + problem);
      }
      return [...new Set(items.map(normal))];
    })
    .default([...fallback]);

const WITH_ROUTE = 'must end before its path: leave /v1 and what follows out, the client adds them, as in https://grsaiapi.com';

/** The address of an HTTP API without the paths of its routes, or one of some words instead. */
export const apiAddressOr = <const T extends readonly [string, ...string[]]>(words: T, fallback: T[number]) =>
  z
    .string()
    .transform((value, context) => {
      const word = value.toLowerCase();
      if (words.includes(word)) return word;
      const problem = apiProblem(value);
      return problem === undefined
        ? normal(value)
        : refuse(context, `must be ${words.join(', ')} or one address; as an address it ${problem}`);
    })
    .default(fallback);

/** The address of a Redis, of Sentinels or of a Cluster. */
export const redisAddress = () =>
  z.string().transform((value, context) => {
    const problem = redisAddressProblem(value);
    return problem === undefined ? value : refuse(context, problem);
  });

/** An address to listen on: a host name or IP address, without a scheme or port. */
export const listenHost = (fallback: string) =>
  z
    .string()
    .refine(
      (value) => isIP(value) !== 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value),
      'must be a host name or an IP address alone, as in 127.0.0.1, 0.0.0.0 or ::, without http://, a port or brackets',
    )
    .default(fallback);

const RANGE = 'write each like 10.0.0.0/8, 192.168.1.5 or fd00::/8, separated by commas';

function isRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const most = isIPv4(address) ? 32 : 128;
  const length = bits === undefined || /^\d{1,3}$/.test(bits) ? Number(bits ?? most) : Number.NaN;
  return isIP(address) !== 0 && !address.includes('%') && rest.length === 0 && length <= most;
}

/** Ranges of IP addresses. */
export const ranges = () =>
  z
    .string()
    .transform(itemsOf)
    .default([])
    .refine((items) => items.every(isRange), `must be ranges of IP addresses: ${RANGE}`);

/** Names that Express gives to ranges. */
const PROXY_NAMES = ['loopback', 'linklocal', 'uniquelocal'];

/** Whose `X-Forwarded-For` is believed: `off`, how many proxies stand in front, or their addresses. */
export const proxies = () =>
  z
    .string()
    .toLowerCase()
    .default('off')
    .transform((value) => (/^\d+$/.test(value) || value === 'off' ? value : itemsOf(value).join(',')))
    .refine(
      (value) =>
        value === 'off' ||
        (/^\d+$/.test(value)
          ? Number(value) <= 16
          : value !== '' && value.split(',').every((item) => PROXY_NAMES.includes(item) || isRange(item))),
      `must be off, a number of proxies from 0 to 16, or addresses: ${RANGE}`,
    );
