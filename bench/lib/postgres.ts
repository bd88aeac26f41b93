import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chownSync, constants, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, waitFor } from '@grsai-jobs/testkit';

/** A throw-away cluster of one row; it dies with the run. */
export interface PostgresHandle {
  /** `postgres://…`, of a superuser. */
  readonly url: string;
  /** Of the postmaster, whose children the backends are. */
  readonly pid: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What to do where no PostgreSQL is found. */
export const NO_POSTGRES = 'PostgreSQL is not installed (Debian: apt-get install postgresql), so this is left out';

/** Debian keeps the servers beside the PATH, by version. */
const DEBIAN = '/usr/lib/postgresql';

/**
 * Asynchronous commit is the fairest neighbour of a Redis that syncs its file every second: either may lose its last moments, and
 * nothing waits for a disk. A quarter of a small server's memory, as "Resource Consumption" of its manual says.
 */
const SETTINGS = {
  synchronous_commit: 'off',
  shared_buffers: '512MB',
  max_connections: '200',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  logging_collector: 'off',
  log_min_messages: 'fatal',
};

/** The folder of `initdb` and `postgres`, the newest one; nothing where there is none. */
export function postgresBinaries(): string | undefined {
  const newest = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const dirs = [...newest.map((version) => join(DEBIAN, version, 'bin')), ...(process.env['PATH'] ?? '').split(delimiter)];
  return dirs.find((dir) => isProgram(join(dir, 'initdb')) && isProgram(join(dir, 'postgres')));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** PostgreSQL refuses to run as root: then it runs as its own user, or as nobody. */
function whoRuns(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: '-u' | '-g') =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {}
  }
  throw new Error('PostgreSQL refuses to run as root, and this system has neither a user postgres nor nobody');
}

/** `16.2`, or nothing where PostgreSQL is not installed. */
export function postgresVersion(): string | undefined {
  const bin = postgresBinaries();
  if (bin === undefined) return undefined;
  return /(\d[\d.]*)/.exec(execFileSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' }))?.[1];
}

/** Starts a cluster of its own in a temporary directory. @throws where PostgreSQL is not installed. */
export async function startPostgres(): Promise<PostgresHandle> {
  const bin = postgresBinaries();
  if (bin === undefined) throw new Error(NO_POSTGRES);
  const user = whoRuns();
  const dir = mkdtempSync(join(tmpdir(), 'bench-postgres-'));
  if (user !== undefined) chownSync(dir, user.uid, user.gid);
  const as = { cwd: dir, ...user };
  const data = join(dir, 'data');
  let running: ChildProcess | undefined;
  // SIGQUIT ends the backends too, at once and without a checkpoint. The folder can go when they are gone, which is after this process.
  const cut = () => {
    running?.kill('SIGQUIT');
    const removal = ['-c', 'while kill -0 "$0"; do sleep 0.1; done; rm -rf "$1"', String(running?.pid), dir];
    spawn('sh', removal, { detached: true, stdio: 'ignore' }).unref();
  };
  process.once('exit', cut);
  const stop = async (): Promise<void> => {
    process.off('exit', cut);
    if (running !== undefined && running.exitCode === null && running.signalCode === null) {
      const gone = once(running, 'exit');
      running.kill('SIGQUIT');
      await gone;
    }
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const options = ['-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    const made = promisify(execFile)(join(bin, 'initdb'), options, as);
    running = made.child;
    await made;
    const port = await freePort();
    const settings = Object.entries({ ...SETTINGS, port: String(port) }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    running = spawn(join(bin, 'postgres'), ['-D', data, ...settings], { ...as, stdio: ['ignore', 'ignore', 'pipe'] });
    await answering(join(bin, 'pg_isready'), port, running);
    return { url: `postgres://bench@127.0.0.1:${port}/postgres`, pid: running.pid ?? 0, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Returns when the server takes connections; rejects with what it said when it ends instead. */
async function answering(isReady: string, port: number, server: ChildProcess): Promise<void> {
  const said: string[] = [];
  server.stderr?.on('data', (chunk: Buffer) => {
    if (said.length < 100) said.push(String(chunk));
  });
  const ended = once(server, 'exit').then(() => Promise.reject(new Error(`postgres ended at once:\n${said.join('')}`)));
  ended.catch(() => undefined);
  const look = () =>
    promisify(execFile)(isReady, ['-h', '127.0.0.1', '-p', String(port), '-q']).then(
      () => true,
      () => false,
    );
  await Promise.race([waitFor(look, { timeoutMs: 20_000, everyMs: 50, what: 'postgres to answer' }), ended]);
}
