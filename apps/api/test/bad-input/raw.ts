import { once } from 'node:events';
import { connect } from 'node:net';

/** What is no HTTP, or hides a second request behind a first: what, status, code, the bytes. `KEY` stands for a valid key. */
export const RAW_ROWS: readonly (readonly [what: string, status: number, code: string, text: string])[] = [
  ['no HTTP at all', 400, 'bad_request', 'hello\r\n\r\n'],
  ['TLS on a plain port', 400, 'bad_request', '\u0016\u0003\u0001\u0002\u0000\u0001\r\n\r\n'],
  ['an unknown method', 400, 'bad_request', 'FROB /v1/jobs HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['no Host', 400, 'bad_request', 'GET /v1/jobs HTTP/1.1\r\nConnection: close\r\n\r\n'],
  ['a header without a colon', 400, 'bad_request', 'GET /v1/jobs HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n'],
  ['a NUL in a header', 400, 'bad_request', 'GET /v1/jobs HTTP/1.1\r\nHost: a\r\nX-A: a\u0000b\r\n\r\n'],
  ['a length that is none', 400, 'bad_request', 'POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: ten\r\n\r\n'],
  ['two lengths', 400, 'bad_request', 'POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
  [
    'a length beside chunks',
    400,
    'bad_request',
    'POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'a broken chunk',
    400,
    'bad_request',
    'POST /v1/jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer KEY\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n',
  ],
  ['20 KiB of headers', 431, 'headers_too_large', `GET /v1/jobs HTTP/1.1\r\nHost: a\r\nX-A: ${'x'.repeat(20_000)}\r\n\r\n`],
];

/** Sends bytes as they are and reads the answer to its end. */
export async function sendRaw(
  url: string,
  text: string,
): Promise<{ status: number; requestId: string | undefined; body: string }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.write(Buffer.from(text, 'latin1'));
  await once(socket, 'close');
  const [head = '', body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n');
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]),
    requestId: /^x-request-id: (.*)$/im.exec(head)?.[1]?.trim(),
    body,
  };
}
