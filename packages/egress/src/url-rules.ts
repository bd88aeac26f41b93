import { isIP } from 'node:net';
import type { AddressRules } from './address-rules.ts';

/** The longest URL that is taken from a caller. */
export const MAX_URL_LENGTH = 2048;
/** The longest that is called: links that a store has signed, to which a paid result leads, can be longer than what callers may send. */
export const MAX_LINK_LENGTH = 16_384;

/** Why a URL is refused before any look-up; `message` is fit for the caller who sent it. */
export interface UrlProblem {
  readonly code: 'invalid_url' | 'url_too_long' | 'scheme' | 'credentials' | 'forbidden_address';
  readonly message: string;
}

/** A URL that passed, or why it did not. */
export type InspectedUrl =
  | { readonly url: URL; readonly problem?: never }
  | { readonly url?: never; readonly problem: UrlProblem };

/**
 * Checks a URL by its text: scheme, credentials, length, and a host that is itself an address, in whatever
 * spelling. The WHATWG parser brings the decimal, octal, hex, short, full-width and dotted forms to one, and the parsed
 * URL, never the text, is what gets called. A name that only *resolves* to a forbidden address is found by the connection.
 */
export function inspectUrl(text: string, forbidden: AddressRules, maxLength = MAX_URL_LENGTH): InspectedUrl {
  // The parser silently drops tabs and line breaks inside a URL; a well-meaning caller sends none.
  if (text.length <= maxLength && /[\s\p{Cc}]/u.test(text)) return refuse('invalid_url', 'this is not a URL');
  return inspectLink(text, forbidden, maxLength);
}

/**
 * The same for a link that upstream gave, or a redirect: read as browsers read it, with spaces, line breaks, backslashes and letters that
 * should have been escaped. A paid result depends on it, and the URL that is called is what the parser made of the text.
 */
export function inspectLink(text: string, forbidden: AddressRules, maxLength = MAX_LINK_LENGTH): InspectedUrl {
  if (text.length > maxLength) return refuse('url_too_long', `the URL is longer than ${maxLength} characters`);
  if (!URL.canParse(text)) return refuse('invalid_url', 'this is not a URL');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return refuse('scheme', 'the URL must begin with https:// or http://');
  if (url.username !== '' || url.password !== '') return refuse('credentials', 'the URL must not hold a user name or a password');
  if (url.port === '0') return refuse('invalid_url', 'nothing can be called on port 0');
  if (!isHost(url.hostname)) return refuse('invalid_url', 'the host of the URL is not a host name');
  const kinds = literalAddresses(hostOf(url)).map(forbidden);
  if (kinds.length > 0 && !kinds.includes(undefined)) {
    const mayBeMeant = kinds.every((kind) => kind === 'loopback' || kind === 'private');
    const hint = mayBeMeant ? '; whoever runs the service can open it with EGRESS_ALLOW' : '';
    return refuse('forbidden_address', `the URL points at an address that is not public (${kinds[0]})${hint}`);
  }
  return { url };
}

/** The host as a resolver or a socket takes it: no brackets around IPv6, no trailing dot. */
export function hostOf({ hostname }: { hostname: string }): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

/** The port that is meant, by the scheme where the URL names none. */
export function portOf({ port, protocol }: { port: string; protocol: string }): number {
  return Number(port || (protocol === 'https:' ? 443 : 80));
}

/**
 * The addresses that a host is by itself, without asking anybody: an IP address, or the loopback addresses for
 * `localhost` and all names below it (RFC 6761 §6.3). Empty for every other name.
 */
export function literalAddresses(host: string): readonly string[] {
  if (isIP(host) !== 0) return [host];
  return /(?:^|\.)localhost$/i.test(host) ? ['127.0.0.1', '::1'] : [];
}

/** DNS limits: 253 characters, labels of 1 to 63; one trailing dot may mark the root. */
function isHost(hostname: string): boolean {
  if (hostname.startsWith('[')) return true;
  const host = hostname.replace(/\.$/, '');
  return host.length <= 253 && host.split('.').every((label) => label.length >= 1 && label.length <= 63);
}

const refuse = (code: UrlProblem['code'], message: string): InspectedUrl => ({ problem: { code, message } });
