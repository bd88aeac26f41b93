import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that the system gives to outgoing connections: one of those could sit on a port before its server does, or while it is dead. */
const FROM = 20_000;
const TO = 30_000;

/**
 * A TCP port of 127.0.0.1 that was free a moment ago, for a server that another process starts, also again and again. Somebody
 * else who asks may be given the same one: whoever can, tries again with another (`startRedis` does). A server of one's own takes
 * port 0 instead.
 */
export async function freePort(tries = 50): Promise<number> {
  const port = randomInt(FROM, TO);
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return port;
  } catch (error) {
    if (tries === 0) throw error;
    return await freePort(tries - 1);
  } finally {
    server.close();
  }
}
