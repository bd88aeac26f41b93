import { setTimeout as sleep } from 'node:timers/promises';
import { USUAL_MIX, USUAL_PACE, type World } from './world.ts';

/** Something that goes wrong, and is over when the promise resolves. */
interface Fault {
  readonly name: string;
  cause(world: World, receivers: { down: boolean }): Promise<void>;
}

export interface Caused {
  /** Seconds since the start. */
  readonly t: number;
  readonly name: string;
}

const SICK_MIX = (fault: string) => [...USUAL_MIX, { fault, p: 0.3, on: 'submit' }, { fault, p: 0.3, on: 'chat' }];

const withMix = async ({ emulator }: World, fault: string, ms: number): Promise<void> => {
  emulator.configure({ mix: SICK_MIX(fault) });
  await sleep(ms);
  emulator.configure({ mix: USUAL_MIX });
};

/** In this order, again and again. */
const FAULTS: readonly Fault[] = [
  { name: 'worker 2 is killed', cause: ({ killWorker2 }) => killWorker2() },
  {
    name: 'connections to Redis are cut',
    cause: async ({ eye }) => {
      await eye.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await eye.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    },
  },
  { name: 'upstream answers 429', cause: (world) => withMix(world, 'F3:retry-after=1', 5000) },
  {
    name: 'receivers answer 503',
    cause: async (_world, receivers) => {
      receivers.down = true;
      await sleep(5000);
      receivers.down = false;
    },
  },
  {
    name: 'S3 answers 503',
    cause: async ({ s3 }) => {
      s3.outage('error');
      await sleep(4000);
      s3.outage(false);
    },
  },
  {
    name: 'upstream is slow',
    cause: async ({ emulator }) => {
      emulator.configure({ taskMs: { min: 5000, max: 20_000 }, chatMs: { min: 1000, max: 6000 } });
      await sleep(8000);
      emulator.configure(USUAL_PACE);
    },
  },
  {
    name: 'Redis is silent',
    cause: async ({ eye }) => {
      await eye.call('CLIENT', 'PAUSE', '1000', 'ALL');
    },
  },
  { name: 'upstream answers 502', cause: (world) => withMix(world, 'F4', 5000) },
];

/** Causes one after another until the signal. */
export async function causeFaults(
  world: World,
  o: { everyMs: number; signal: AbortSignal; startedAt: number; receivers: { down: boolean }; caused: Caused[] },
): Promise<void> {
  for (let n = 0; ; n += 1) {
    await sleep(o.everyMs, undefined, { signal: o.signal }).catch(() => undefined);
    if (o.signal.aborted) return;
    const fault = FAULTS[n % FAULTS.length];
    if (fault === undefined) return;
    o.caused.push({ t: (Date.now() - o.startedAt) / 1000, name: fault.name });
    await fault.cause(world, o.receivers);
  }
}
