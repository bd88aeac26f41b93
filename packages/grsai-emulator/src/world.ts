import type { Bus } from './bus.ts';
import type { Clock } from './clock.ts';
import type { FaultPlan } from './fault-plan.ts';
import type { FileStore } from './files.ts';
import type { Gates } from './gates.ts';
import type { Ledger } from './ledger.ts';
import type { Limiter } from './limiter.ts';
import type { RequestLog } from './request-log.ts';
import type { Settings } from './settings.ts';
import type { TaskStore } from './tasks.ts';

/** Everything that the routes share. */
export interface World {
  readonly seed: string;
  readonly clock: Clock;
  /** Changed in place by whoever steers the emulator. */
  readonly settings: Settings;
  readonly plan: FaultPlan;
  readonly tasks: TaskStore;
  readonly files: FileStore;
  readonly ledger: Ledger;
  readonly limiter: Limiter;
  readonly gates: Gates;
  readonly bus: Bus;
  readonly log: RequestLog;
  /** One store for all nodes, or one for each. */
  readonly stores: 'shared' | 'split';
  /** Address of a node, as `http://127.0.0.1:4100`. */
  readonly nodeUrl: (node: number) => string;
  /** Fires when the emulator closes. */
  readonly closing: AbortSignal;
  /** 1, 2, 3 …: names the next thing that needs a name. */
  readonly next: () => number;
}
