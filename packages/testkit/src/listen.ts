import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Has a server of the test's own listen on a free port; its address. `onFinished` gets what ends it, open connections too. */
export async function listen(server: Server, onFinished: (stop: () => void) => void): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
