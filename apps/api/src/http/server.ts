import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '@grsai-jobs/runtime';
import { judgeByHead } from './expect-continue.ts';
import { originForm } from './origin-form.ts';
import { answerUnreadable } from './unreadable.ts';

/** How long, how many, how large; times in ms. */
export interface ServerLimits {
  /** A head has come in by then, from the beginning of its connection or from its first byte. */
  headMs: number;
  /** A whole request has come in by then; a batch over a slow line takes its time. */
  requestMs: number;
  /** A connection without a request stays open for so long; longer than load balancers keep theirs, so that they close first. */
  idleMs: number;
  /** How often the first two are looked at. */
  checkMs: number;
  headBytes: number;
  connections: number;
  /** Of one address; what comes through a proxy has the proxy's. */
  connectionsPerAddress: number;
}

export const SERVER_LIMITS = {
  headMs: 10_000,
  requestMs: 10 * 60_000,
  idleMs: 65_000,
  checkMs: 2000,
  headBytes: 16 * 1024,
} as const satisfies Partial<ServerLimits>;

/** Closes at once what is one too many of an address. */
function limitAddresses(server: Server, most: number, onRefused: (why: Error) => void): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const now = (open.get(address) ?? 0) + 1;
    open.set(address, now);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
    if (now <= most) return;
    onRefused(new Error('an address has as many connections as it may'));
    socket.destroy();
  });
}

/** The HTTP server of an app, with a bound for everything that somebody without a key can make it hold. */
export function createLimitedServer(
  app: RequestListener,
  o: ServerLimits & { log: Logger; onRefused: (why: Error) => void },
): Server {
  const server = createServer({
    // The app refuses a request without a Host, so that it is answered as all refusals are.
    requireHostHeader: false,
    maxHeaderSize: o.headBytes,
    headersTimeout: o.headMs,
    requestTimeout: o.requestMs,
    keepAliveTimeout: o.idleMs,
    connectionsCheckingInterval: o.checkMs,
  });
  const answer = originForm(server, app);
  server.on('request', answer);
  server.maxConnections = o.connections;
  server.on('drop', () => o.onRefused(new Error('all connections are taken')));
  limitAddresses(server, o.connectionsPerAddress, o.onRefused);
  judgeByHead(server, answer);
  answerUnreadable(server, o.log);
  // An expectation that nobody knows is no reason to refuse (RFC 9110 §10.1.1).
  server.on('checkExpectation', answer);
  return server;
}
