/**
 * The endpoint behind a webhook URL: scheme, host, port and path, in one spelling (lower case, the port always written
 * out, no trailing dot on the host, no query, no fragment). The tenant, which is part of an endpoint's identity
 * (design §5), is the store's to add. Throws a TypeError when `url` is no URL.
 */
export function endpointOf(url: string): string {
  const { protocol, hostname, port, pathname } = new URL(url);
  const host = hostname.replace(/\.$/, '');
  return `${protocol}//${host}:${port || (protocol === 'https:' ? '443' : '80')}${pathname}`;
}
