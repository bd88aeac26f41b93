import { connectRedis } from '@grsai-jobs/redis';
import { startRedis, startRedisProxy, waitFor } from '@grsai-jobs/testkit';
import { createConsumer, createMaintainer, createProducer } from '../src/index.ts';
import { type QueueWorld, queueContract } from './contract.ts';

const LOCK_MS = 1000;
const STALLED_MS = 150;
/** Of a process: for its commands, and the one on which it waits for entries. */
const CONNECTIONS = 2;

const onError = () => undefined;

/** BullMQ on a Redis of its own; each process has its own way there, which can be cut. */
async function bullmq(): Promise<QueueWorld> {
  const server = await startRedis({ appendonly: 'always' });
  const redis = await connectRedis(server.url, 'consumer', { onError });
  const producer = createProducer({ redis, prefix: 'gj', onError });
  const stops: (() => Promise<void>)[] = [];
  const closing: (() => Promise<void>)[] = [];

  const connect = async () => {
    const proxy = await startRedisProxy(server.url);
    const own = await connectRedis(proxy.url, 'consumer', { onError });
    const options = { redis: own, prefix: 'gj', lockMs: LOCK_MS, stalledMs: STALLED_MS, onError };
    const reconnect = async () => {
      await proxy.refuse(false);
      await waitFor(() => proxy.connections >= CONNECTIONS, { what: 'both connections' });
    };
    /** Once; BullMQ does not close a blocking connection that is about to be made again. */
    const stopping = (stop: () => Promise<void>) => {
      let stopped: Promise<void> | undefined;
      return () => {
        stopped ??= proxy.connections >= CONNECTIONS ? stop() : reconnect().then(stop);
        return stopped;
      };
    };
    closing.push(async () => {
      own.disconnect();
      await proxy.stop();
    });
    return { proxy, options, reconnect, stopping };
  };

  return {
    producer,
    lockMs: LOCK_MS,
    async take(name, handler, concurrency) {
      const { proxy, options, reconnect, stopping } = await connect();
      const thrown: unknown[] = [];
      const onThrow = async (_work: unknown, error: unknown) => void thrown.push(error);
      const consumer = createConsumer(name, handler, { ...options, concurrency, onThrow });
      const stop = stopping(consumer.stop);
      stops.push(stop);
      consumer.start();
      return { ...consumer, stop, thrown, cutOff: () => proxy.refuse(true), reconnect };
    },
    async maintain(tasks) {
      const { options, stopping } = await connect();
      const consumer = createMaintainer(tasks, { ...options, concurrency: 1, onTaskFailed: onError });
      stops.push(stopping(consumer.stop));
      consumer.start();
    },
    now: Date.now,
    until: async (holds, what) => void (await waitFor(holds, { what, everyMs: 5 })),
    restartStore: () => server.restart(),
    async close() {
      await Promise.all(stops.map((each) => each()));
      await Promise.all(closing.map((each) => each()));
      await producer.close();
      redis.disconnect();
      await server.stop();
    },
  };
}

queueContract(bullmq);
