import type { Socket } from 'node:net';
import { startTcp, type TestServer } from './servers.ts';

export interface Flood extends TestServer {
  /** How many bytes it could send before its connection was closed. */
  readonly sent: Promise<number>;
}

/** A server that answers a request with a beginning, and then with the same piece until somebody closes the connection. */
export async function startFlood(head: string, piece: string | Buffer): Promise<Flood> {
  const sent = Promise.withResolvers<number>();
  const server = await startTcp((socket) => {
    socket.once('data', () => pour(socket, Buffer.from(head), Buffer.from(piece)));
    socket.once('close', () => sent.resolve(socket.bytesWritten));
  });
  return { ...server, sent: sent.promise };
}

/** Writes a beginning, and then the same piece until the connection is closed. */
export function pour(socket: Socket, head: Buffer, piece: Buffer): void {
  socket.resume().write(head);
  const more = (): void => {
    while (!socket.destroyed && socket.write(piece));
    socket.once('drain', more);
  };
  more();
}

/** A server that answers each request on a connection with these bytes, and does nothing else; `end` closes behind them. */
export const startRaw = (answer: string | Buffer, end = false): Promise<TestServer> =>
  startTcp((socket) => {
    socket.on('data', () => (end ? socket.end(answer) : socket.write(answer)));
  });

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;
const LONG = 'e'.repeat(60_000);

/** Answers without end, where a limit of undici or of the reader of a body sees nothing. What the head ends before has no status. */
export const FLOODS: readonly (readonly [
  what: string,
  ended: 'before' | 'behind' | 'as it likes',
  head: string,
  piece: string,
])[] = [
  ['chunks of one byte behind long extensions', 'behind', CHUNKED, `1;${LONG}\r\nx\r\n`],
  ['one extension', 'behind', `${CHUNKED}1;`, LONG],
  ['an extension with a quoted value', 'behind', `${CHUNKED}1;a="`, LONG],
  ['chunk sizes with leading zeros', 'as it likes', CHUNKED, '0'.repeat(60_000)],
  ['chunks of one byte', 'behind', CHUNKED, '1\r\nx\r\n'.repeat(10_000)],
  ['trailers', 'behind', `${CHUNKED}0\r\n`, `a: ${' '.repeat(60_000)}b\r\n`],
  ['one trailer', 'behind', `${CHUNKED}0\r\na: `, LONG],
  ['informational answers', 'before', '', 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(100)],
  ['informational answers without a header', 'before', '', 'HTTP/1.1 199 x\r\n\r\n'.repeat(1000)],
  ['a status line', 'before', 'HTTP/1.1 200 ', LONG],
  ['a header', 'before', `${OK}a: `, LONG],
  ['the name of a header', 'before', OK, LONG],
  ['headers with blanks before their values', 'before', OK, `a:${' '.repeat(60_000)}b\r\n`],
  ['empty headers', 'before', OK, 'a:\r\n'.repeat(15_000)],
  ['cookies', 'before', OK, 'set-cookie: a=b\r\n'.repeat(4_000)],
  ['line ends before the status line', 'before', '', '\r\n'.repeat(30_000)],
];
