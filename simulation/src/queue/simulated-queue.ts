import { QUEUES, type QueueName } from '@grsai-jobs/jobs';
import type { Consumer, Handler, MaintenanceTasks, Producer } from '@grsai-jobs/queue';
import { queuePrefix } from '@grsai-jobs/queue/port';
import type { Clock, Timers } from '@grsai-jobs/runtime';
import type { SimulatedClient } from '../redis/client/client.ts';
import { createConsumer, createMaintainer, type SimulatedConsumerOptions, type SimulatedMaintainerOptions } from './consumer.ts';
import { createLine, type Line } from './line.ts';
import { createProducer } from './producer.ts';
import { queueScripts } from './scripts.ts';
import type { SlotsDeps } from './slots.ts';
import type { WakeUps } from './wake-ups.ts';

/** What one process has. */
export interface SimulatedQueueDeps {
  /** Its connection, of the kind that waits when it takes entries (`consumer`). */
  readonly redis: SimulatedClient;
  /** As everywhere in the service: that of all keys. */
  readonly prefix: string;
  readonly timers: Timers;
  readonly clock: Clock;
  /** One for all processes of a simulated Redis. */
  readonly signal: WakeUps;
  /** Answers another text each time, over all processes. */
  readonly newToken: () => string;
}

/** The port of `@grsai-jobs/queue`, for one process. */
export interface SimulatedQueue {
  readonly producer: Producer;
  createConsumer(name: QueueName, handler: Handler, o: SimulatedConsumerOptions): Consumer;
  createMaintainer(tasks: MaintenanceTasks, o: SimulatedMaintainerOptions): Consumer;
}

/**
 * A queue that behaves as BullMQ does where the service relies on it (`packages/queue/test/contract.ts`), with entries that stand in the
 * simulated Redis beside the records, behind the same wire: answers get lost, a full Redis refuses, a failover forgets.
 */
export function createSimulatedQueue({ redis, prefix, timers, clock, signal, newToken }: SimulatedQueueDeps): SimulatedQueue {
  const run = queueScripts(redis);
  const lines = Object.fromEntries(
    QUEUES.map((name) => [name, createLine(name, `${queuePrefix(prefix)}:${name}:`, { run, clock, signal })]),
  ) as Record<QueueName, Line>;
  const slotsOf = (name: QueueName): SlotsDeps => ({ name, line: lines[name], redis, timers, signal, newToken });
  return {
    producer: createProducer(redis, lines),
    createConsumer: (name, handler, o) => createConsumer(slotsOf(name), handler, o),
    createMaintainer: (tasks, o) => createMaintainer(slotsOf('maintain'), tasks, o),
  };
}
