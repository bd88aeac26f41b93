import { setTimeout as sleep } from 'node:timers/promises';
import { type Exit, type ProcessHandle, startProcess } from '@grsai-jobs/testkit';

/** One process that is kept alive: after each end it is started again, as an orchestrator would. */
export interface Kept {
  readonly name: string;
  /** All its lives, oldest first. */
  readonly lives: readonly ProcessHandle[];
  /** Ends that nobody asked for. */
  readonly unexpected: readonly { readonly at: number; readonly exit: Exit; readonly tail: string }[];
  /** Starts that came to nothing, as Redis was away. */
  readonly failedStarts: readonly { readonly at: number; readonly error: string }[];
  /** SIGKILL; a new life begins `downMs` later. Resolves when the process is gone; false when it was not there. */
  kill(downMs: number): Promise<boolean>;
  /** SIGSTOP, and SIGCONT after `ms`; false when there was nothing to freeze. */
  freeze(ms: number, frozen: () => Promise<void>): Promise<boolean>;
  /** SIGTERM, and no life after it. */
  end(): Promise<Exit | undefined>;
  /** SIGKILL, and no life after it. */
  destroy(): Promise<void>;
}

export interface KeptOptions {
  readonly name: string;
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
  /** The event of the log line that says it is ready. */
  readonly readyEvent: string;
}

const START_LIMIT_MS = 40_000;

/** Starts a process and keeps it alive. Resolves when its first life is ready. */
export async function keepAlive(o: KeptOptions): Promise<Kept> {
  const lives: ProcessHandle[] = [];
  const unexpected: { at: number; exit: Exit; tail: string }[] = [];
  const failedStarts: { at: number; error: string }[] = [];
  let current: ProcessHandle | undefined;
  let starting: Promise<void> | undefined;
  let over = false;

  const begin = async (): Promise<void> => {
    const life = await startProcess({ entry: o.entry, env: o.env });
    lives.push(life);
    await life.waitForLine((line) => line['event'] === o.readyEvent, { timeoutMs: START_LIMIT_MS });
    current = life;
    void life.exited.then((exit) => {
      if (current !== life) return;
      current = undefined;
      const tail = life.lines.slice(-5).map((line) => line.raw);
      unexpected.push({ at: Date.now(), exit, tail: tail.join('\n') });
      restart(500);
    });
  };
  const beginUntilReady = async (afterMs: number): Promise<void> => {
    await sleep(afterMs);
    while (!over) {
      try {
        return await begin();
      } catch (error) {
        await lives.at(-1)?.stop();
        failedStarts.push({ at: Date.now(), error: error instanceof Error ? error.message : String(error) });
        await sleep(500);
      }
    }
  };
  const restart = (afterMs: number): void => {
    starting = beginUntilReady(afterMs).finally(() => {
      starting = undefined;
    });
  };
  const takeCurrent = (): ProcessHandle | undefined => {
    const life = current;
    current = undefined;
    return life;
  };
  const quit = async (signal: NodeJS.Signals): Promise<Exit | undefined> => {
    over = true;
    await starting;
    const life = takeCurrent();
    life?.kill(signal);
    return await life?.exited;
  };

  await begin();
  return {
    name: o.name,
    lives,
    unexpected,
    failedStarts,
    kill: async (downMs) => {
      const life = takeCurrent();
      if (life === undefined) return false;
      life.kill('SIGKILL');
      await life.exited;
      restart(downMs);
      return true;
    },
    freeze: async (ms, frozen) => {
      const life = current;
      if (life === undefined) return false;
      life.kill('SIGSTOP');
      await frozen();
      await sleep(ms);
      life.kill('SIGCONT');
      return true;
    },
    end: () => quit('SIGTERM'),
    destroy: async () => {
      await quit('SIGKILL');
      await Promise.all(lives.map((life) => life.stop()));
    },
  };
}
