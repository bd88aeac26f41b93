import type { IncomingMessage, ServerResponse } from 'node:http';

/** How much of a body that nobody reads is still taken from its sender, so that our answer reaches it. */
export interface UnreadBody {
  ms: number;
  bytes: number;
}

const UNREAD_BODY: UnreadBody = { ms: 3000, bytes: 8 * 1024 * 1024 };

/** True while the sender has not sent all of the body that it has announced. */
export const owesBody = ({ complete, headers }: IncomingMessage): boolean =>
  !complete && (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0);

/** Throws away what comes, and calls back once: when all has come, or more than is taken, or too late. */
function dropRest(request: IncomingMessage, then: () => void, most: UnreadBody = UNREAD_BODY): void {
  let bytes = 0;
  let over = false;
  const end = () => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    request.off('data', count);
    then();
  };
  const count = (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (bytes > most.bytes) end();
  };
  const timer = setTimeout(end, most.ms);
  request.on('data', count).once('end', end).once('close', end).once('error', end);
  request.resume();
}

/** An answer that came before the end of the body ends the connection, unless the rest comes soon. */
export function boundUnreadBody(request: IncomingMessage, response: ServerResponse, most: UnreadBody = UNREAD_BODY): void {
  response.once('finish', () => {
    if (owesBody(request)) dropRest(request, () => request.complete || request.socket.destroy(), most);
  });
}

/**
 * Ends an answer to a request whose body is not wanted. A socket that is closed while bytes arrive is reset, and the reset overtakes
 * the answer: so it is written whole, and closed when its reader had time to stop.
 */
export function endEarly(request: IncomingMessage, response: ServerResponse, text: string, most: UnreadBody = UNREAD_BODY): void {
  // Whoever waits to be asked for its body sends none.
  const unasked = response.getHeader('Connection') === 'close';
  response.setHeader('Connection', 'close');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  if (unasked) {
    response.end(text);
    return;
  }
  response.write(text);
  dropRest(request, () => response.end(), most);
}
