import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { endChild, isAlive, spawnChild } from './children.ts';
import { machineEnvironment } from './machine-environment.ts';
import { PATIENCE_MS, within } from './wait-for.ts';

/** One line of output. A line that is a JSON object (pino) stands here with its fields; any other has only `msg`. */
export interface LogLine extends Readonly<Record<string, unknown>> {
  readonly msg?: unknown;
  /** The line as it came. */
  readonly raw: string;
  readonly stream: 'stdout' | 'stderr';
}

/** A pattern for the raw line, or a question about its fields. */
export type LineMatch = RegExp | ((line: LogLine) => boolean);

export interface ProcessOptions {
  /** Path of the script, e.g. `apps/worker/src/main.ts`. */
  entry: string;
  /** What runs it; the node that runs the test when it is left out. */
  command?: string;
  /** The whole environment of the child beside that of the machine ({@link machineEnvironment}): nothing of the test's own leaks in. */
  env?: Readonly<Record<string, string>>;
  /** For node itself, before the entry. */
  nodeArgs?: readonly string[];
  /** For the script. */
  args?: readonly string[];
  cwd?: string;
  /** `startProcess` returns when such a line was logged; without it, when the process runs. */
  ready?: LineMatch;
  /** Limit for `ready`, in ms (default 15 000). */
  readyTimeoutMs?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessHandle {
  readonly pid: number;
  /** All lines so far, stdout and stderr. */
  readonly lines: readonly LogLine[];
  readonly running: boolean;
  /** Settles when the process is gone and its output read to the end. */
  readonly exited: Promise<Exit>;
  /** The first line, past or to come, that fits. Rejects when the process ends without it. */
  waitForLine(match: LineMatch, options?: { timeoutMs?: number }): Promise<LogLine>;
  /** Sends a signal (default SIGTERM) and does not wait; `await handle.exited` does. */
  kill(signal?: NodeJS.Signals): void;
  /** SIGKILL, if it still runs. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Runs a script, by default with the node that runs the test, and reads its log. The child dies with the test process. */
export async function startProcess(options: ProcessOptions): Promise<ProcessHandle> {
  const child = spawnChild(
    options.command ?? process.execPath,
    [...(options.nodeArgs ?? []), options.entry, ...(options.args ?? [])],
    {
      env: { ...machineEnvironment(process.env), ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    },
  );
  const lines: LogLine[] = [];
  const watchers = new Set<() => void>();
  for (const stream of ['stdout', 'stderr'] as const) {
    const input = child[stream];
    if (input === null) continue;
    createInterface({ input }).on('line', (raw) => {
      lines.push(parseLine(raw, stream));
      for (const look of watchers) look();
    });
  }
  const exited = new Promise<Exit>((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  await once(child, 'spawn');

  const waitForLine = async (match: LineMatch, o: { timeoutMs?: number } = {}): Promise<LogLine> => {
    const fits = match instanceof RegExp ? (line: LogLine) => match.test(line.raw) : match;
    const tail = (): string =>
      lines
        .slice(-20)
        .map((line) => line.raw)
        .join('\n');
    let look: () => void = () => undefined;
    const found = new Promise<LogLine>((resolve, reject) => {
      look = () => {
        const line = lines.find(fits);
        if (line !== undefined) resolve(line);
      };
      watchers.add(look);
      look();
      const ended = ({ code, signal }: Exit): void =>
        reject(new Error(`${options.entry} ended (${signal ?? code}) without a line that fits ${match}:\n${tail()}`));
      void exited.then(ended);
    });
    return within(
      found,
      o.timeoutMs ?? PATIENCE_MS,
      () => `a line of ${options.entry} that fits ${match}; last lines:\n${tail()}`,
    ).finally(() => watchers.delete(look));
  };
  const stop = async (): Promise<void> => {
    await endChild(child);
    await exited;
  };
  if (options.ready !== undefined) {
    await waitForLine(options.ready, { timeoutMs: options.readyTimeoutMs ?? 60_000 }).catch(async (error: unknown) => {
      await stop();
      throw error;
    });
  }
  return {
    pid: child.pid ?? 0,
    lines,
    get running() {
      return isAlive(child);
    },
    exited,
    waitForLine,
    kill: (signal = 'SIGTERM') => void child.kill(signal),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function parseLine(raw: string, stream: 'stdout' | 'stderr'): LogLine {
  try {
    const fields: unknown = JSON.parse(raw);
    if (typeof fields === 'object' && fields !== null) return { ...fields, raw, stream };
  } catch {
    // not JSON: a plain line
  }
  return { msg: raw, raw, stream };
}
