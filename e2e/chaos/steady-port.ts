import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that the system gives to outgoing connections, one of which could sit on a port while its server is dead. */
const FROM = 20_000;
const TO = 30_000;

/** A port for a server that is killed and comes back on the same one. */
export async function steadyPort(tries = 50): Promise<number> {
  const port = randomInt(FROM, TO);
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return port;
  } catch (error) {
    if (tries === 0) throw error;
    return await steadyPort(tries - 1);
  } finally {
    server.close();
  }
}
