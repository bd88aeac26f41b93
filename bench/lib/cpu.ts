import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** CPU time in ms that each part of a measurement used for one job. Unlike a rate it hardly feels its neighbours. */
export interface CpuTime {
  /** The measured process, all its threads. */
  readonly own: number;
  /** The store: Redis, or the PostgreSQL of a peer with all its processes. */
  readonly redis: number;
  /** What drives it or answers it: where this is the largest, the rate is not the measured process's own. */
  readonly driver: number;
}

/** Units of /proc/<pid>/stat in a second. */
const ticksPerSecond = ((): number => {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })) || 100;
  } catch {
    return 100;
  }
})();

/** CPU time of a process and its children so far, dead ones too, in ms (10 ms steps). NaN where there is no /proc. */
function cpuMsOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; utime, stime and those of dead children are fields 14 to 17 (proc(5)).
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const own = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return (own * 1000) / ticksPerSecond + childrenOf(pid).reduce((sum, child) => sum + (cpuMsOf(child) || 0), 0);
  } catch {
    return Number.NaN;
  }
}

/** PostgreSQL has a process for each connection; a process of Node or Redis has none. */
function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/** Reads the clocks of these processes now; the function that comes back says what was used since, shared among `jobs`. */
export function cpuSince(pids: { own: number; redis?: number; driver: number }): (jobs: number) => CpuTime {
  const { own, redis, driver } = pids;
  const read = () => ({ own: cpuMsOf(own), redis: redis === undefined ? 0 : cpuMsOf(redis), driver: cpuMsOf(driver) });
  const before = read();
  return (jobs) => {
    const now = read();
    return {
      own: (now.own - before.own) / jobs,
      redis: (now.redis - before.redis) / jobs,
      driver: (now.driver - before.driver) / jobs,
    };
  };
}
