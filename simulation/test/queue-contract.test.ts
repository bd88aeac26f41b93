import { type QueueWorld, queueContract } from '@grsai-jobs/queue/contract';
import type { SimulatedClient } from '../src/index.ts';
import { simulation } from './processes.ts';

const onError = () => undefined;
const OPTIONS = { lockMs: 1000, stalledMs: 150, onError };

/** The simulated queue; each process has its own connection, which can be cut. */
async function simulated(): Promise<QueueWorld> {
  const { time, redis, start, until } = simulation();
  const { producer, client: connection } = start();
  const clients: SimulatedClient[] = [connection];
  const stops: (() => Promise<void>)[] = [];

  return {
    producer,
    lockMs: OPTIONS.lockMs,
    async take(name, handler, concurrency) {
      const { client, createConsumer } = start();
      const thrown: unknown[] = [];
      const onThrow = async (_work: unknown, error: unknown) => void thrown.push(error);
      const consumer = createConsumer(name, handler, { ...OPTIONS, concurrency, onThrow });
      clients.push(client);
      stops.push(consumer.stop);
      consumer.start();
      return { ...consumer, thrown, cutOff: async () => client.cut(), reconnect: async () => client.connect() };
    },
    async maintain(tasks) {
      const { client, createMaintainer } = start();
      const consumer = createMaintainer(tasks, { ...OPTIONS, concurrency: 1, onTaskFailed: onError });
      clients.push(client);
      stops.push(consumer.stop);
      consumer.start();
    },
    now: () => time.now(),
    until,
    async restartStore() {
      redis.restart();
      for (const client of clients) client.disconnect(true);
    },
    async close() {
      for (const client of clients) client.connect();
      await Promise.all(stops.map((stop) => stop()));
    },
  };
}

queueContract(simulated);
