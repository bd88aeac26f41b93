import type { Logger } from './logger.ts';

const QUIET_MS = 10_000;

/** Logs an error that may hit every command at once: the same message at most once in ten seconds. */
export function throttledLog(log: Logger, fields: Record<string, unknown>, text: string): (error: Error) => void {
  let last = { message: '', at: Number.NEGATIVE_INFINITY };
  return (error) => {
    const now = performance.now();
    if (error.message === last.message && now - last.at < QUIET_MS) return;
    last = { message: error.message, at: now };
    log.warn({ ...fields, err: error }, text);
  };
}
