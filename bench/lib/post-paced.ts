import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchJob, Contender } from './contender.ts';

const TIMES_A_SECOND = 4;

/** Adds jobs at a steady pace; each knows its number. */
export async function postPaced(
  contender: Pick<Contender, 'add'>,
  o: { readonly from?: number; readonly count: number; readonly perSecond: number; readonly job: (n: number) => BenchJob },
): Promise<void> {
  const { from = 0, count, perSecond, job } = o;
  const atOnce = Math.ceil(perSecond / TIMES_A_SECOND);
  const began = performance.now();
  for (let n = 0; n < count; n += atOnce) {
    await sleep(Math.max(0, began + (n * 1000) / perSecond - performance.now()));
    await contender.add(Array.from({ length: Math.min(atOnce, count - n) }, (_, i) => job(from + n + i)));
  }
}
