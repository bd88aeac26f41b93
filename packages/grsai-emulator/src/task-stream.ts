import type { Exchange } from './exchange.ts';
import { carried } from './fault-plan.ts';
import { NO_STRIKES, type Strikes } from './faults.ts';
import { oddly } from './odd-fields.ts';
import { look, type Task } from './tasks.ts';
import { strikeCoding } from './transport.ts';
import type { World } from './world.ts';

/** Shares of a task's time at which a stream reports its progress. */
export const EVERY_STEP: readonly number[] = [0, 0.2, 0.4, 0.6, 0.8];
/** Only the end is reported. */
export const ONLY_THE_END: readonly number[] = [];

export interface StreamOptions {
  readonly steps: readonly number[];
  /** Does `data: [DONE]` stand at the end? */
  readonly done: boolean;
}

/** Sends a task as server-sent events until it ends (upstream.md §3.5), with the cuts of F15. */
export async function streamTask(
  x: Exchange,
  world: World,
  task: Task,
  shape: (strikes: Strikes) => unknown,
  { steps, done }: StreamOptions,
): Promise<void> {
  const strikes = carried(task, 'stream', NO_STRIKES);
  strikeCoding(x, strikes);
  const cut = strikes.as('F15');
  x.begin(200, 'text/event-stream');
  if (cut === 'before') return x.cut();
  for (const step of steps) {
    await world.tasks.wait(task, task.createdAt + step * task.plannedMs, x.closed);
    if (x.closed.aborted) return;
    if (look(task, world.clock.now()).status !== 'running') break;
    const event = `data: ${JSON.stringify(oddly(shape(strikes), strikes))}\n\n`;
    if (cut === 'middle' && step > 0) {
      await x.write(event.slice(0, event.length >> 1));
      return x.cut();
    }
    await x.write(event);
  }
  if (cut === 'progress') return x.cut();
  await world.tasks.wait(task, Number.POSITIVE_INFINITY, x.closed);
  if (x.closed.aborted) return;
  await x.write(`data: ${JSON.stringify(oddly(shape(strikes), strikes))}${cut === 'no-blank' ? '' : '\n\n'}`);
  if (done) await x.write('data: [DONE]\n\n');
  await x.end();
}
