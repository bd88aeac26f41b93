import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * Below the ports that the system gives to outgoing connections (from 32 768 on Linux): one of those could sit on a port before its
 * server does, or while it is dead. A node of a Redis Cluster listens on a second port that is higher by 10 000: that one is below
 * them too, and nobody gets it from here.
 */
const FROM = 11_000;
const TO = 21_000;

/** One file for each port that a living process has taken from here, with the id of that process in it. */
const TAKEN = join(tmpdir(), 'grsai-jobs-test-ports');

/**
 * A TCP port of 127.0.0.1 that was free a moment ago, for a server that another process starts, also again and again. As long as
 * this process lives, nobody else who asks is given the same one. A server of one's own takes port 0 instead.
 */
export async function freePort(taken = TAKEN, tries = 50): Promise<number> {
  const port = randomInt(FROM, TO);
  if (take(join(taken, String(port))) && (await isFree(port))) return port;
  if (tries === 0) throw new Error(`No free port from ${FROM} to ${TO - 1}: end what listens there, or remove ${taken}.`);
  return await freePort(taken, tries - 1);
}

function take(file: string): boolean {
  mkdirSync(dirname(file), { recursive: true });
  if (!isOwned(file)) rmSync(file, { force: true });
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}

/** A file that is still empty is being written by its owner. */
function isOwned(file: string): boolean {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return pid === 0 || process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
