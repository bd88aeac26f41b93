import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Ticks of the process table in a second; a constant of the Linux ABI for user space, but asked for where it can be. */
const ticksPerSecond = ((): number => {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })) || 100;
  } catch {
    return 100;
  }
})();

/** CPU time that a process has used so far, all threads, in ms (10 ms steps). NaN where there is no /proc. */
export function cpuMsOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; utime and stime are fields 14 and 15 (proc(5)).
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
  } catch {
    return Number.NaN;
  }
}

/** Reads both clocks now; the function that comes back tells what was used since, shared among `jobs`. */
export function cpuSince(pid: number, redisPid: number): (jobs: number) => { cpuMs: number; redisCpuMs: number } {
  const [own, redis] = [cpuMsOf(pid), cpuMsOf(redisPid)];
  return (jobs) => ({ cpuMs: (cpuMsOf(pid) - own) / jobs, redisCpuMs: (cpuMsOf(redisPid) - redis) / jobs });
}
