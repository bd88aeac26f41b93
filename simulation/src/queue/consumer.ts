import type {
  Consumer,
  ConsumerOptions,
  Handler,
  MaintainerOptions,
  MaintenanceTasks,
  Outcome,
  QueueName,
  Work,
} from '@grsai-jobs/queue';
import { LONGEST_THROTTLE_MS, parseEntry } from '@grsai-jobs/queue/port';
import type { SimulatedClient } from '../redis/client/client.ts';
import type { Taken } from './line.ts';
import { createSlots, type SlotsDeps } from './slots.ts';

/** As `createConsumer` of `@grsai-jobs/queue` has them, without what the factory knows. */
export type SimulatedConsumerOptions = Omit<ConsumerOptions, 'redis' | 'prefix'>;
/** As `createMaintainer` of `@grsai-jobs/queue` has them, without what the factory knows. */
export type SimulatedMaintainerOptions = Omit<MaintainerOptions, 'redis' | 'prefix'>;

const done: Outcome = { kind: 'done' };

/** Only these can be throttled. */
const LIMITED: ReadonlySet<QueueName> = new Set(['call', 'submit']);

/** A limit outlives whoever set it, with a bound that may not have been ours. */
async function shortenLimit(redis: SimulatedClient, key: string): Promise<void> {
  const left: number = await redis.pttl(key);
  if (left > LONGEST_THROTTLE_MS) await redis.set(key, '1', 'PX', LONGEST_THROTTLE_MS);
}

export function createConsumer(deps: SlotsDeps, handler: Handler, o: SimulatedConsumerOptions): Consumer {
  const limited = LIMITED.has(deps.name);
  let open = 0;

  async function work({ id, data, stalled }: Taken): Promise<Outcome> {
    const todo: Work = { entry: parseEntry({ id, data: JSON.parse(data) }), stalled };
    open += 1;
    try {
      return await handler(todo);
    } catch (error) {
      await o.onThrow(todo, error);
      return done;
    } finally {
      open -= 1;
    }
  }

  const { start, ...slots } = createSlots(deps, { ...o, limited, work, onFailed: () => undefined });
  return {
    name: deps.name,
    ...slots,
    start() {
      if (limited) shortenLimit(deps.redis, deps.line.keys.limiter).catch(o.onError);
      start();
    },
    open: () => open,
  };
}

export function createMaintainer(deps: SlotsDeps, tasks: MaintenanceTasks, o: SimulatedMaintainerOptions): Consumer {
  const slots = createSlots(deps, {
    ...o,
    limited: false,
    async work({ name }) {
      const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined;
      if (task === undefined) throw new Error(`this version has no task named ${name}`);
      await task();
      return done;
    },
    onFailed: ({ name }, error) => o.onTaskFailed(name, error as Error),
  });
  return { name: deps.name, ...slots, open: () => 0 };
}
