import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * The one list of the testkit: who must not outlive the test process. It has to be shared, so that a hundred children need
 * one listener on `process` and not a hundred.
 */
const living = new Set<ChildProcess>();

function killAll(): void {
  for (const child of living) child.kill('SIGKILL');
}

/** `spawn`, with the promise that the child is killed when this process ends. */
export function spawnChild(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  if (living.size === 0) process.once('exit', killAll);
  const child = spawn(command, args, options);
  living.add(child);
  const forget = (): void => {
    living.delete(child);
    if (living.size === 0) process.off('exit', killAll);
  };
  child.once('exit', forget);
  child.once('error', forget);
  return child;
}

/** Whether the process has neither ended nor failed to start. */
export function isAlive(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** Sends a signal and waits for the end; returns at once when it has ended already. SIGKILL also ends a paused process. */
export async function endChild(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (!isAlive(child)) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}
