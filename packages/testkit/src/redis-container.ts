import { freePort } from './free-port.ts';
import type { RedisBackend, RedisOptions } from './redis-backend.ts';
import { awaitPong, redisArguments } from './redis-server.ts';

const PORT = 6379;

/** The library is loaded only here: it is large, and most machines have a `redis-server`. */
const library = () => import('testcontainers');

/** Whether a container engine answers on this machine. */
export async function hasContainerEngine(): Promise<boolean> {
  try {
    const { getContainerRuntimeClient } = await library();
    await getContainerRuntimeClient();
    return true;
  } catch {
    return false;
  }
}

/** A Redis of our own in a container. Its host port is fixed, so that a restart comes back under the same address. */
export async function startContainerBackend(image: string, options: RedisOptions): Promise<RedisBackend> {
  const { GenericContainer, Wait, getContainerRuntimeClient } = await library();
  const hostPort = await freePort();
  const container = await new GenericContainer(image)
    .withCommand(['redis-server', '--bind', '0.0.0.0', '--protected-mode', 'no', ...redisArguments(options)])
    .withExposedPorts({ container: PORT, host: hostPort })
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .start();
  const host = container.getHost();
  const engine = (await getContainerRuntimeClient()).container.getById(container.getId());
  const processId = async (): Promise<number> => (await engine.inspect()).State.Pid;
  await awaitPong(host, hostPort);
  let pid = await processId();
  return {
    host,
    port: hostPort,
    pid: () => pid,
    kill: async () => {
      await engine.kill();
      await engine.wait();
    },
    pause: async () => void (await engine.pause()),
    resume: async () => void (await engine.unpause()),
    restart: async () => {
      if ((await engine.inspect()).State.Paused) await engine.unpause();
      await engine.restart();
      await awaitPong(host, hostPort);
      pid = await processId();
    },
    stop: async () => {
      if ((await engine.inspect()).State.Paused) await engine.unpause();
      await container.stop({ timeout: 0 });
    },
  };
}
