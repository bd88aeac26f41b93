import type { Redis } from '../client.ts';

/** Whether Redis was away, or refused writes, a short while ago. */
export interface Disturbance {
  /** Within the last `ms`; also now. */
  within(ms: number): boolean;
}

/**
 * Notes when one of these connections was lost, came back, or was refused a write: what is late soon after that is late for that reason.
 * The first connection of a process is none: one that a job kills at once, again and again, has just connected each time.
 * @param elapsed milliseconds that only grow.
 */
export function watchDisturbance(connections: readonly Pick<Redis, 'on' | 'status'>[], elapsed: () => number): Disturbance {
  let last = Number.NEGATIVE_INFINITY;
  const note = () => {
    last = elapsed();
  };
  for (const each of connections) {
    let connected = each.status === 'ready';
    each.on('close', note);
    each.on('ready', () => {
      if (connected) note();
      connected = true;
    });
    each.on('refused', note);
  }
  return { within: (ms) => connections.some(({ status }) => status !== 'ready') || elapsed() - last <= ms };
}
