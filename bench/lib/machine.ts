import { execFileSync } from 'node:child_process';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { Redis } from 'ioredis';
import { startOwnRedis } from './redis.ts';

/** Where and on what a run was made, in one line. */
export async function describeMachine(): Promise<string> {
  const all = cpus();
  const gib = Math.round(totalmem() / 1024 ** 3);
  const load = loadavg().map((each) => each.toFixed(1));
  return [
    `${all.length} × ${all[0]?.model.trim() ?? 'CPU'}, ${gib} GiB, ${platform()} ${release()}`,
    `Node ${process.versions.node}, Redis ${await redisVersion()} (appendonly no)`,
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
export function describeCommit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  try {
    const changed = git('status', '--porcelain', '--', ':/apps', ':/packages', ':/bench') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? ' with changes' : ''}`;
  } catch {
    return 'no commit';
  }
}
