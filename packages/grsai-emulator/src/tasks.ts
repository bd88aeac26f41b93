import type { Clock } from './clock.ts';
import type { Carrier } from './fault-plan.ts';
import type { Fault } from './faults.ts';
import { MinHeap } from './heap.ts';
import { KEPT_PROMPT, type Ledger, type LedgerTask, type SubmitKind, type TaskBook, type TaskStatus } from './ledger.ts';
import { refundsErrors } from './prices.ts';
import type { Settings } from './settings.ts';

export type Outcome = Exclude<TaskStatus, 'running'>;

/** How a task was asked for; decides who may read its id later (upstream.md §12 T1). */
export type Mode = 'async' | 'synchronous' | 'draw';

/** Everything about a task is fixed when it is made; what it looks like follows from the clock. */
export interface Task extends Carrier {
  readonly id: string;
  readonly node: number;
  readonly kind: SubmitKind;
  readonly mode: Mode;
  /** Whose quota pays. */
  readonly key: string;
  readonly model: string;
  readonly prompt: string;
  readonly createdAt: number;
  /** Time it was to take, ms; gives the pace of its progress. */
  readonly plannedMs: number;
  readonly charged: number;
  /** Names of its result files, known before they can be read. */
  readonly files: readonly string[];
  readonly content: string | undefined;
  /** The legacy word for a violation, by where it was found. */
  readonly moderation: 'input_moderation' | 'output_moderation';
  endAt: number;
  outcome: Outcome;
  error: string;
  refunded: number;
  settled: boolean;
}

export interface NewTask extends Omit<Task, 'struck' | 'refunded' | 'settled' | 'faults'> {
  readonly faults: readonly Fault[];
}

export interface Look {
  readonly status: TaskStatus;
  /** 0–100, rising. */
  readonly progress: number;
}

/** A task at a moment. Running tasks stop at 99. */
export function look(task: Task, now: number): Look {
  if (now >= task.endAt) return { status: task.outcome, progress: 100 };
  const share = task.plannedMs === 0 ? 0 : (now - task.createdAt) / task.plannedMs;
  return { status: 'running', progress: Math.max(0, Math.min(99, Math.floor(share * 100))) };
}

/** All tasks. No timer stands behind any of them: what is due is worked off when somebody asks. */
export class TaskStore implements TaskBook {
  readonly #clock: Clock;
  readonly #tasks = new Map<string, Task>();
  readonly #ends = new MinHeap<Task>();
  readonly #wakers = new Map<string, () => void>();
  readonly #onEnd: (task: Task) => void;
  #running = 0;

  /** `onEnd` is called with each task that ended, when that is first noticed. */
  constructor(clock: Clock, onEnd: (task: Task) => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  add(fresh: NewTask): Task {
    const task: Task = { ...fresh, struck: new Map(), prompt: fresh.prompt.slice(0, KEPT_PROMPT), refunded: 0, settled: false };
    this.#tasks.set(task.id, task);
    this.#ends.push(task.endAt, task);
    this.#running++;
    return task;
  }

  get(id: string): Task | undefined {
    return this.#tasks.get(id);
  }

  /** Tasks that have not ended. */
  get running(): number {
    this.settle();
    return this.#running;
  }

  get size(): number {
    return this.#tasks.size;
  }

  settle(): void {
    const now = this.#clock.now();
    for (let task = this.#ends.popUpTo(now); task !== undefined; task = this.#ends.popUpTo(now)) {
      if (task.settled) continue;
      if (task.endAt > now) this.#ends.push(task.endAt, task);
      else this.#end(task);
    }
  }

  /** Ends a running task now. False when there is no such task or it has ended. */
  end(id: string, outcome: Outcome, error: string): boolean {
    this.settle();
    const task = this.#tasks.get(id);
    if (task === undefined || task.settled) return false;
    task.endAt = this.#clock.now();
    task.outcome = outcome;
    task.error = error;
    this.#end(task);
    this.#wakers.get(id)?.();
    return true;
  }

  /** Resolves when the task has ended, `until` (clock, ms) has come or `signal` fires. */
  async wait(task: Task, until: number, signal: AbortSignal): Promise<void> {
    const moment = (): number => Math.min(until, task.endAt);
    while (this.#clock.now() < moment() && !signal.aborted) {
      const woken = new AbortController();
      const wake = (): void => woken.abort();
      signal.addEventListener('abort', wake, { once: true });
      this.#wakers.set(task.id, wake);
      await this.#clock.wait(moment() - this.#clock.now(), woken.signal);
      signal.removeEventListener('abort', wake);
      this.#wakers.delete(task.id);
    }
    this.settle();
  }

  all(): LedgerTask[] {
    const now = this.#clock.now();
    return Array.from(this.#tasks.values(), (task) => ({
      id: task.id,
      node: task.node,
      kind: task.kind,
      model: task.model,
      prompt: task.prompt,
      status: look(task, now).status,
      charged: task.charged,
      refunded: task.refunded,
      createdAt: task.createdAt,
      endedAt: now >= task.endAt ? task.endAt : undefined,
      files: task.files,
    }));
  }

  reset(): void {
    for (const [id, wake] of this.#wakers) {
      const held = this.#tasks.get(id);
      if (held !== undefined) held.endAt = this.#clock.now();
      wake();
    }
    this.#tasks.clear();
    this.#ends.clear();
    this.#running = 0;
  }

  #end(task: Task): void {
    task.settled = true;
    this.#running--;
    this.#onEnd(task);
  }
}

/** Gives back what a failed task cost, if its tier does that; a violation is paid for unless the settings say otherwise (upstream.md §10.4). */
export function refund(task: Task, ledger: Ledger, settings: Pick<Settings, 'violationCharged' | 'refundOnError'>): void {
  const { violationCharged, refundOnError } = settings;
  if (task.outcome === 'succeeded' || (task.outcome === 'violation' && violationCharged)) return;
  if (task.outcome === 'failed' && !{ always: true, never: false, table: refundsErrors(task.model) }[refundOnError]) return;
  task.refunded = task.charged;
  ledger.giveBack(task.node, task.charged, task.key);
}
