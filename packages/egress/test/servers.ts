import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A server on a free port of 127.0.0.1 that goes away with its test, open connections and all. */
export interface TestServer {
  readonly port: number;
  readonly url: string;
  /** Connections accepted so far. */
  connections(): number;
  /** Resets every open connection. */
  reset(): void;
}

export const startHttp = (listener: RequestListener): Promise<TestServer> => listen(createServer(listener), 'http');

export const startHttps = (tls: { key: string; cert: string }, listener: RequestListener): Promise<TestServer> =>
  listen(createHttpsServer(tls, listener), 'https');

/** For receivers that speak no HTTP, or break it. */
export const startTcp = (listener: (socket: Socket) => void): Promise<TestServer> => {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    listener(socket);
  });
  return listen(server, 'http');
};

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function listen(server: Server | ReturnType<typeof createTcpServer>, scheme: string): Promise<TestServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    connections: () => connections,
    reset: () => sockets.forEach((socket) => void socket.resetAndDestroy()),
  };
}
