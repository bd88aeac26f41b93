import { execFileSync } from 'node:child_process';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { Redis } from 'ioredis';
import { postgresVersion } from './postgres.ts';
import { startOwnRedis } from './redis.ts';

/** Where and on what a run was made, in one line. */
export async function describeMachine(): Promise<string> {
  const all = cpus();
  const gib = Math.round(totalmem() / 1024 ** 3);
  const load = loadavg().map((each) => each.toFixed(1));
  return [
    `${all.length} × ${all[0]?.model.trim() ?? 'CPU'}, ${gib} GiB, ${platform()} ${release()}`,
    `Node ${process.versions.node}, Redis ${await redisVersion()} (appendonly no), PostgreSQL ${postgresVersion() ?? 'not installed'}`,
    `load at start ${load.join(' ')}`,
  ].join(' · ');
}

async function redisVersion(): Promise<string> {
  await using server = await startOwnRedis();
  const client = new Redis(server.url);
  try {
    return /redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? 'unknown';
  } finally {
    client.disconnect();
  }
}

/** The short commit, marked when files differ from it. */
export const describeCommit = (): string => commitOf(['rev-parse', '--short', 'HEAD'], ':/apps', ':/packages', ':/bench');

/** The last commit of what is measured, marked in the same way: the bench may be newer. */
export const describeService = (): string => commitOf(['log', '-1', '--format=%h'], ':/apps', ':/packages');

function commitOf(ask: readonly string[], ...paths: readonly string[]): string {
  const git = (...args: readonly string[]) => execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  try {
    const changed = git('status', '--porcelain', '--', ...paths) !== '';
    const commit = ask[0] === 'log' ? git(...ask, '--', ...paths) : git(...ask);
    return `${commit}${changed ? ' with changes' : ''}`;
  } catch {
    return 'no commit';
  }
}
