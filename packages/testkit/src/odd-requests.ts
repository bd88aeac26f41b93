import { connect } from 'node:net';

const get = (target: string, more = 'Host: a\r\n', method = 'GET'): string =>
  `${method} ${target} HTTP/1.1\r\n${more}Connection: close\r\n\r\n`;

/** Requests that no client of good will sends: what is odd, and its bytes (latin1). A server answers each, or closes; it lives on. */
export const ODD_REQUESTS: readonly (readonly [what: string, bytes: string])[] = [
  ...[
    '//',
    '///',
    '//[',
    '//a:99999/',
    '//@:x/livez',
    '/\\\\livez',
    '*',
    'http://[',
    'http://[::1',
    'http://[]/livez',
    'http://',
    'http://a:99999/livez',
    'http://a:x/livez',
    'http://%/livez',
    'https://any.host/livez',
    'ws://[::',
    'ftp://a/livez',
    'any.host:443',
    'livez',
    '?',
    '/%zz',
    '/%00',
    '/%',
    '/%ff%fe',
    '/..%2f..%2fetc/passwd',
    '/livez?%zz=%zz&[]=1&__proto__[x]=1',
    '/__proto__',
    '/constructor',
    '/toString',
    '/a b',
    '/\u0000',
    '/\u00e9\u00ff',
    `/${'a/'.repeat(4000)}`,
    `/${'a'.repeat(100_000)}`,
  ].map((target) => [`the target ${JSON.stringify(target.slice(0, 40))}`, get(target)] as const),
  ...['HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'PRI', 'M-SEARCH', 'QUERY', 'PATCH', 'get', 'FROB'].map(
    (method) => [`the method ${method}`, get(method === 'CONNECT' ? 'a:443' : '//', undefined, method)] as const,
  ),
  ['OPTIONS of everything', get('*', undefined, 'OPTIONS')],
  ...['[', '[::1', 'a:99999', 'a:b:c', '//', '\u00ff', ' ', '', 'a b', 'a/b?c#d', 'x'.repeat(10_000)].map(
    (host) => [`the host ${JSON.stringify(host.slice(0, 20))}`, get('//', `Host: ${host}\r\n`)] as const,
  ),
  ['no host', get('//', '')],
  ['two hosts', get('/livez', 'Host: a\r\nHost: b\r\n')],
  ['an upgrade', get('//', 'Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n')],
  ['an upgrade to HTTP/2', get('//', 'Host: a\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: Upgrade\r\n')],
  ['an expectation', get('http://[', 'Host: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n', 'POST')],
  ['an expectation that nobody knows', get('//', 'Host: a\r\nExpect: a-miracle\r\n')],
  ['a body that nobody asked for', get('//', 'Host: a\r\nContent-Length: 3\r\n').concat('abc')],
  ['HTTP/1.0', 'GET // HTTP/1.0\r\n\r\n'],
  ['HTTP/0.9', 'GET //\r\n\r\n'],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a head that ends too soon', 'GET // HT'],
  ['nothing', ''],
  ['no HTTP', '\u0000\u0001\u0002 hello\r\n\r\n'],
];

/** Sends bytes as they are, ends its side, and reads what comes until the other side is closed; the status is that of the final answer. */
export async function sendBytes(port: number, bytes: string): Promise<{ status: number | undefined; text: string }> {
  const socket = connect({ port, host: '127.0.0.1' });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.end(Buffer.from(bytes, 'latin1'));
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const text = Buffer.concat(chunks).toString('latin1');
  const status = /^(?:HTTP\/1\.1 1\d\d[\s\S]*?\r\n\r\n)*HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
  return { status: status === undefined ? undefined : Number(status), text };
}
