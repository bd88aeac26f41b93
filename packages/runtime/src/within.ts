import type { Timers } from './timers.ts';

/**
 * What `work` comes to, if it does so within `ms`; the work itself is not stopped.
 * @throws Error with the text `otherwise` when the time is over.
 */
export async function within<T>(timers: Pick<Timers, 'after'>, ms: number, otherwise: string, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const end = timers.after(ms, () => reject(new Error(otherwise)));
  try {
    return await Promise.race([work, promise]);
  } finally {
    end();
  }
}
