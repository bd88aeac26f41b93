import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chmodSync, chownSync, constants, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { freePort } from '@grsai-jobs/testkit';

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
  const remove = () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  if (user !== undefined) chownSync(dir, user.uid, user.gid);
  chmodSync(dir, 0o700);
  const as = { cwd: dir, ...user };
  const data = join(dir, 'data');
  try {
    await promisify(execFile)(
      join(bin, 'initdb'),
      ['-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
      as,
    );
  } catch (error) {
    remove();
    throw error;
  }
  const port = await freePort();
  const settings = Object.entries({ ...SETTINGS, port: String(port) }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(bin, 'postgres'), ['-D', data, ...settings], { ...as, stdio: ['ignore', 'ignore', 'pipe'] });
  // Ends the backends too, at once and without a checkpoint.
  const cut = () => {
    child.kill('SIGQUIT');
    try {
      remove();
    } catch {}
  };
  process.once('exit', cut);
  const gone = once(child, 'exit');
  const said: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => said.length < 100 && said.push(line));
  const stop = async () => {
    process.off('exit', cut);
    child.kill('SIGQUIT');
    await gone;
    remove();
  };
  const early = gone.then(() => Promise.reject(new Error(`postgres ended at once:\n${said.join('\n')}`)));
  early.catch(() => undefined);
  const ready = async () => {
    for (let left = 200; ; left -= 1) {
      const answer = await promisify(execFile)(join(bin, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port), '-q']).then(
        () => true,
        () => false,
      );
      if (answer) return;
      if (left === 0) throw new Error(`postgres does not answer:\n${said.join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  try {
    await Promise.race([ready(), early]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `postgres://bench@127.0.0.1:${port}/postgres`, pid: child.pid ?? 0, [Symbol.asyncDispose]: stop };
}
