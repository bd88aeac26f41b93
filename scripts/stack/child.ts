import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Env, root } from './root.ts';

/** Where a process writes: to our own output, or to the end of a file. */
export type Output = 'inherit' | { readonly file: string };

/** A Node process that a script started. */
export interface Child {
  readonly name: string;
  /** Resolves with what ended it (`exit code 1`, `SIGKILL`), whoever did. */
  readonly ended: Promise<string>;
  /** SIGTERM, then SIGKILL after `graceMs`. Resolves when it is gone; twice is fine. */
  stop(graceMs: number): Promise<void>;
}

const LEASH = new URL('leash.ts', import.meta.url).href;

/**
 * Starts a program of the repository with this Node; `command` is what follows `node`. It has a process group of its own, so
 * that Ctrl-C reaches it only through us and in order, and it ends with us.
 */
export function startChild(name: string, command: readonly string[], env: Env, output: Output): Child {
  const out = output === 'inherit' ? 'inherit' : openSync(output.file, 'a');
  const child = spawn(process.execPath, ['--import', LEASH, ...command], {
    cwd: root,
    env,
    stdio: ['ignore', out, out, 'ipc'],
    detached: process.platform !== 'win32',
  });
  const ended = endOf(child);
  return {
    name,
    ended,
    async stop(graceMs) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

/**
 * Waits until `url` answers 2xx. When the process ends first, when `stop` fires, or after `limitMs`, the process is stopped
 * and this throws; the last answer is part of the message, since it says what is not ready.
 */
export async function untilReady(child: Child, url: string, stop: AbortSignal, limitMs = 30_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  let end: string | undefined;
  let last = 'nothing';
  void child.ended.then((text) => {
    end = text;
  });
  while (end === undefined && !stop.aborted && performance.now() < deadline) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(2000) });
      last = `${answer.status} ${(await answer.text()).slice(0, 500)}`;
      if (answer.ok) return;
    } catch {
      // not listening yet
    }
    await sleep(25);
  }
  await child.stop(2000);
  if (end !== undefined) throw new Error(`${child.name} ended before it was ready (${end})`);
  if (stop.aborted) throw new Error(`stopped before it was ready (${stop.reason})`);
  throw new Error(`${child.name} is not ready after ${limitMs / 1000} s: ${url} says ${last}`);
}
