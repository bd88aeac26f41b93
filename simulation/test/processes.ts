import {
  createSimulatedQueue,
  type Gate,
  PERFECT_WIRE,
  processTime,
  type RoundTrip,
  SimulatedClient,
  SimulatedRedis,
  VirtualTime,
  WakeUps,
} from '../src/index.ts';

/** Of virtual time, between two looks at what a test waits for, and until it gives up. */
const EVERY_MS = 5;
const PATIENCE_MS = 10_000;

/** Processes around a simulated Redis, in a time of their own. */
export function simulation() {
  const time = new VirtualTime(Date.UTC(2031, 0, 1));
  const redis = new SimulatedRedis({ clock: time });
  const signal = new WakeUps({ now: () => time.now(), after: (ms, run) => time.after(ms, run) });
  let tokens = 0;

  /** A process with its own connection and its own clock. `handle`: what becomes of its round trips. */
  function start(o: { role?: 'producer' | 'consumer'; gate?: Gate; skew?: number; handle?: (trip: RoundTrip) => void } = {}) {
    const process = { sent: 0, handle: o.handle ?? PERFECT_WIRE.roundTrip };
    const wire = {
      ...PERFECT_WIRE,
      roundTrip(trip: RoundTrip) {
        process.sent += 1;
        process.handle(trip);
      },
    };
    const client = new SimulatedClient(redis, { role: o.role ?? 'consumer', wire });
    const newToken = () => `token ${++tokens}`;
    const own = processTime(time, o.gate, () => o.skew ?? 0);
    return Object.assign(process, {
      client,
      ...createSimulatedQueue({ redis: client, prefix: 'gj', ...own, signal, newToken }),
    });
  }

  return {
    time,
    redis,
    start,
    /** Lets time pass until `holds`. */
    async until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
      const limit = time.now() + PATIENCE_MS;
      await time.settled();
      while (!(await holds())) {
        if (time.now() > limit) throw new Error(`waited ${PATIENCE_MS} ms for ${what}`);
        time.after(EVERY_MS, () => undefined);
        await time.step();
      }
    },
    /** Lets so much time pass. */
    pass: async (ms: number) => void (await time.until(() => false, time.now() + ms)),
  };
}
