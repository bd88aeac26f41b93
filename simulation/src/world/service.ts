import { assembleUseCases, type UseCasePorts } from '@grsai-jobs/api/assemble';
import { createJobStore, type JobStore, redisTime, startEventFeed, subscribe } from '@grsai-jobs/job-store';
import { createReplicaLasting, watchDisturbance } from '@grsai-jobs/redis';
import { createLogger, createMetrics, createSliceQueue, createSyncedClock, type Logger } from '@grsai-jobs/runtime';
import { assembleWorker, type Worker, type WorkerSettings } from '@grsai-jobs/worker/assemble';
import { createWorkerMetrics } from '@grsai-jobs/worker/metrics';
import { monotonicFactory } from 'ulid';
import { createSimulatedQueue } from '../queue/simulated-queue.ts';
import type { WakeUps } from '../queue/wake-ups.ts';
import type { Random } from '../random.ts';
import { SimulatedClient } from '../redis/client/client.ts';
import type { SimulatedRedis } from '../redis/server.ts';
import type { VirtualTime } from '../time/virtual-time.ts';
import type { Internet } from './internet.ts';
import type { Bucket } from './object-store.ts';
import type { Plan } from './plan.ts';
import { PREFIX } from './prefix.ts';
import { PRICES } from './prices.ts';
import { SimulatedProcess } from './process.ts';
import type { Upstream } from './upstream.ts';
import { type Network, wireOf } from './wire.ts';

/** What all processes share. */
export interface Surroundings {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly redis: SimulatedRedis;
  readonly network: Network;
  readonly signal: WakeUps;
  readonly bucket: Bucket;
  readonly upstream: Upstream;
  readonly internet: Internet;
  /** Lines that processes log at `warn` and above, and all of them when a story is told. */
  readonly log: (line: { process: string; level: string; event: string; msg: string; fields: Record<string, unknown> }) => void;
  readonly durability: 'memory' | 'replica';
  readonly logLevel: string;
  readonly maxInFlight: number;
  readonly slots: Plan['slots'];
}

const SLOTS = {
  many: { CALL_CONCURRENCY: 20, SUBMIT_CONCURRENCY: 10, POLL_CONCURRENCY: 30, STORE_CONCURRENCY: 8, DELIVER_CONCURRENCY: 20 },
  few: { CALL_CONCURRENCY: 4, SUBMIT_CONCURRENCY: 2, POLL_CONCURRENCY: 3, STORE_CONCURRENCY: 1, DELIVER_CONCURRENCY: 2 },
} as const satisfies Record<Plan['slots'], Partial<WorkerSettings>>;

const WORKER_SETTINGS: Omit<WorkerSettings, 'GRSAI_MAX_IN_FLIGHT' | 'REDIS_DURABILITY' | keyof (typeof SLOTS)['many']> = {
  GRSAI_CALL_RESERVE: 'auto',
  GRSAI_CATALOGUE_URL: 'off',
  GRSAI_RPM: 0,
  INPUT_IMAGES: 'inline',
  QUEUE_LOCK_MS: 15_000,
  QUEUE_STALLED_MS: 5000,
  RETENTION_DAYS: 7,
  S3_PREFIX: '',
  SHUTDOWN_TIMEOUT_S: 25,
  TENANT_MAX_IN_FLIGHT: 0,
  TENANT_MAX_LIVE_JOBS: 100_000,
  TENANT_MAX_QUEUED: 0,
};

const API_SETTINGS = {
  ON_UNKNOWN_SUBMIT_IMAGE: 'fail',
  ON_UNKNOWN_SUBMIT_CHAT: 'resubmit',
  S3_PREFIX: '',
  TENANT_MAX_IN_FLIGHT: 0,
  TENANT_MAX_LIVE_JOBS: 100_000,
  TENANT_MAX_QUEUED: 0,
  TENANT_MAX_REDIS_BYTES: 0,
  TENANT_MAX_STORED_BYTES: 0,
} as const;

function logOf(s: Surroundings, process: string): Logger {
  return createLogger({
    name: process,
    level: s.logLevel,
    pretty: false,
    destination: {
      write(text: string) {
        const {
          level,
          event = '',
          msg = '',
          time: _time,
          pid: _pid,
          name: _name,
          ...fields
        } = JSON.parse(text) as Record<string, string>;
        s.log({ process, level: String(level), event, msg, fields });
      },
    },
  });
}

/** Connections of a process, and its part of the store and the queues. */
function reach(s: Surroundings, process: SimulatedProcess, role: 'producer' | 'consumer') {
  const { time, redis, network } = s;
  const after = (ms: number, run: () => void) => time.after(ms, () => process.enter(run), null, process);
  const connect = (name: string, as: 'producer' | 'consumer' = role) =>
    new SimulatedClient(redis, {
      ...{ name: `${process.name} ${name}`, role: as, after },
      wire: wireOf({ process, time, random: process.random.fork(name), network }),
    });
  const { timers, random } = process;
  const client = connect('commands');
  // What fails of a sync is seen by all others who ask Redis.
  const clock = createSyncedClock({ readTime: () => redisTime(client), wall: process.clock, timers, onError: () => undefined });
  const synced = clock.sync();
  const newToken = () => random.token();
  const lasting =
    s.durability === 'replica'
      ? createReplicaLasting(connect('lasting', 'producer'), { key: `{${PREFIX}}:lasting`, turn: () => timers.sleep(0) })
      : undefined;
  const store: JobStore = createJobStore({ redis: client, lasting, prefix: PREFIX, clock, newToken });
  const queues = createSimulatedQueue({ redis: client, prefix: PREFIX, clock, timers, signal: s.signal, newToken });
  return { connect, client, clock, synced, store, queues, newToken };
}

/** A worker as it runs, unchanged, on a simulated world. */
export class SimulatedWorker extends SimulatedProcess {
  #worker: Worker | undefined;
  readonly #surroundings: Surroundings;

  constructor(name: string, s: Surroundings) {
    super(name, s.time, s.random.fork(name));
    this.#surroundings = s;
  }

  async start(): Promise<void> {
    const s = this.#surroundings;
    const { connect, client, clock, synced, store, queues, newToken } = reach(s, this, 'consumer');
    const { timers, random } = this;
    const log = logOf(s, this.name);
    const onError = (err: Error) => log.warn({ event: 'redis.error', err }, 'Redis: connection trouble');
    await synced;
    await store.schema.open();
    this.#worker = await assembleWorker(
      {
        ...{ clock, timers, random: random.next, newToken, log, onError, store },
        disturbance: watchDisturbance([client], timers.elapsed),
        build: 'simulated',
        metrics: createWorkerMetrics(createMetrics()),
        producer: queues.producer,
        consumer: (queue, handler, o) =>
          queues.createConsumer(queue, handler, { ...o, lockMs: 15_000, stalledMs: 5000, onError }),
        maintainer: (tasks, o) => queues.createMaintainer(tasks, { ...o, lockMs: 15_000, stalledMs: 5000, onError }),
        subscribe: (to) => subscribe({ ...to, redis: connect('messages'), prefix: PREFIX, onError, timers }),
        objects: s.bucket.of(this),
        egress: s.internet.of(this),
        grsai: s.upstream.of(this),
        keyring: { read: async () => [{ secret: SECRET, at: 0 }], rotate: async () => [] },
        proof: { proven: () => true, first: Promise.resolve() },
      },
      { ...WORKER_SETTINGS, ...SLOTS[s.slots], GRSAI_MAX_IN_FLIGHT: s.maxInFlight, REDIS_DURABILITY: s.durability },
    );
    this.#worker.start();
  }

  /** SIGTERM. Resolves with what did not stop in time. */
  async terminate(): Promise<Error[]> {
    return (await this.#worker?.stop([], [])) ?? [];
  }
}

const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

export type UseCases = ReturnType<typeof assembleUseCases>;

/** The use cases of an API process, as its routes call them. */
export class SimulatedApi extends SimulatedProcess {
  readonly useCases: UseCases;
  readonly store: JobStore;

  constructor(name: string, s: Surroundings) {
    super(name, s.time, s.random.fork(name));
    const { connect, client, clock, synced, store, queues } = reach(s, this, 'producer');
    const { timers } = this;
    synced.catch(() => undefined);
    const log = logOf(s, name);
    const onError = (err: Error) => log.warn({ event: 'redis.error', err }, 'Redis: connection trouble');
    const feed = startEventFeed({
      reader: connect('events', 'consumer'),
      redis: client,
      primary: store.primary,
      prefix: PREFIX,
      onError,
      timers,
    });
    const ports: UseCasePorts = {
      ...{ clock, timers, log, onError, store, feed },
      // Nobody reads the pieces of an answer here.
      streamFeed: { watch: () => () => undefined },
      process: name,
      newUlid: monotonicFactory(() => this.random.next()),
      producer: queues.producer,
      objects: s.bucket.of(this),
      egress: s.internet.of(this),
      prices: PRICES,
      slices: createSliceQueue({ now: timers.elapsed, inNextTurn: (run) => void timers.after(0, run) }),
    };
    this.store = store;
    this.useCases = assembleUseCases(ports, API_SETTINGS);
  }
}
