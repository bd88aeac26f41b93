import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LIMIT_MS = 60_000;

/** What it prints when it is ready, with its own clock: that one does not count npm and the look at what is installed. */
const READY = /grsai-jobs is ready \(([\d.]+) s\)/;

export interface Started {
  /** From the command to the line that says that it is ready, in seconds. */
  readonly seconds: number;
  /** The same by the program's own clock. */
  readonly own: number;
}

/**
 * Runs `npm start` in the repository until it is ready, then ends it as Ctrl-C does. Nothing is configured, so that all
 * stand-ins are started; their state is in `.data/`.
 * @throws with the end of what was printed when it ends, or is not ready after a minute.
 */
export async function npmStart(): Promise<Started> {
  const { PATH = '', HOME = '', TMPDIR = '/tmp' } = process.env;
  const began = performance.now();
  // A process group of its own, as a terminal gives it: Ctrl-C reaches npm and what it started.
  const child = spawn('npm', ['start'], {
    ...{ cwd: ROOT, detached: true, env: { PATH, HOME, TMPDIR } },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const signal = (name: NodeJS.Signals) => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, name);
  };
  const cut = () => signal('SIGTERM');
  process.once('exit', cut);
  const gone = once(child, 'close');
  const lines: string[] = [];
  const ready = Promise.withResolvers<Started>();
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    const own = READY.exec(line)?.[1];
    if (own !== undefined) ready.resolve({ seconds: (performance.now() - began) / 1000, own: Number(own) });
  });
  const fail = (why: string) => ready.reject(new Error(`npm start ${why}:\n${lines.slice(-20).join('\n')}`));
  gone.then(
    () => fail('ended'),
    (error: unknown) => ready.reject(error),
  );
  const late = setTimeout(() => fail('was not ready in time'), LIMIT_MS);
  try {
    return await ready.promise;
  } finally {
    clearTimeout(late);
    signal('SIGINT');
    await gone;
    process.off('exit', cut);
  }
}
