import { randomUUID } from 'node:crypto';
import { Bus } from './bus.ts';
import { type Clock, systemClock } from './clock.ts';
import { Emulator } from './emulator.ts';
import { FaultPlan } from './fault-plan.ts';
import { FileStore } from './files.ts';
import { Gates } from './gates.ts';
import { Ledger } from './ledger.ts';
import { Limiter } from './limiter.ts';
import { RequestLog } from './request-log.ts';
import { checkSettings, DEFAULTS, type Settings } from './settings.ts';
import { refund, TaskStore } from './tasks.ts';
import type { World } from './world.ts';

/** Options of a start; the settings among them can be changed later. */
export interface EmulatorOptions extends Partial<Settings> {
  /** By default 127.0.0.1. */
  readonly host?: string;
  /** Port of the first node; the second takes the one after it. 0, the default, takes free ones. */
  readonly port?: number;
  /** How long an idle connection is kept open, ms; by default 65 000. */
  readonly keepAliveMs?: number;
  /** By default 1. */
  readonly nodes?: 1 | 2;
  /** Do two nodes share tasks and money? By default `shared` (upstream.md §13.3). */
  readonly stores?: 'shared' | 'split';
  /** The same seed makes the same ids, pictures and draws. Left out, each start has its own. */
  readonly seed?: string | number;
  /** By default the real one. */
  readonly clock?: Clock;
  /** Balance at the start, for each store; by default a thousand million. */
  readonly credits?: number;
}

/** Starts the stand-in and resolves when all its ports are open. Throws on options that do not fit, and when a port is taken. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const {
    host = '127.0.0.1',
    port = 0,
    keepAliveMs = 65_000,
    nodes = 1,
    stores = 'shared',
    clock = systemClock,
    credits = 1_000_000_000,
    seed,
    ...patch
  } = options;
  const settings: Settings = { ...DEFAULTS, ...checkSettings(patch) };
  const bus = new Bus();
  const tasks = new TaskStore(clock, (task) => {
    refund(task, ledger, settings);
    bus.emit('end', task);
  });
  const ledger: Ledger = new Ledger(tasks, new Array<number>(stores === 'split' ? nodes : 1).fill(credits));
  const name = String(seed ?? randomUUID());
  const closing = new AbortController();
  let serial = 0;
  const world: World = {
    seed: name,
    clock,
    settings,
    plan: new FaultPlan(name, settings),
    tasks,
    files: new FileStore(),
    ledger,
    limiter: new Limiter(),
    gates: new Gates(),
    bus,
    log: new RequestLog(),
    stores,
    nodeUrl: (node) => emulator.nodes[node]?.url ?? '',
    closing: closing.signal,
    next: () => ++serial,
  };
  const emulator: Emulator = new Emulator(world, closing, nodes, { host, port, keepAliveMs });
  await emulator.start().catch(async (error: unknown) => {
    await emulator.close();
    throw error;
  });
  return emulator;
}
