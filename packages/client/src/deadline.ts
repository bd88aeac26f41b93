import { TimeoutError } from './errors.ts';

/** How a call can be ended. */
export interface CallOptions {
  /** Ends the call at once; it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Milliseconds for the whole call with its retries and waits; then it rejects with {@link TimeoutError}. No limit by default. */
  timeoutMs?: number | undefined;
}

/** A longer timer would fire at once (24.8 days). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A signal that fires with the caller's, or when the time is over. `close` lets go of both. */
function deadline({ signal, timeoutMs }: CallOptions): { signal: AbortSignal; close: () => void } {
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  const over = () =>
    controller.abort(
      new TimeoutError({ code: 'timeout', retryable: true, detail: `The call was not over in ${(timeoutMs ?? 0) / 1000} s` }),
    );
  const timer = timeoutMs === undefined || timeoutMs > LONGEST_TIMER_MS ? undefined : setTimeout(over, timeoutMs);
  return {
    signal: controller.signal,
    close: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    },
  };
}

/** Runs `work` under the deadline of a call. */
export async function within<T>(options: CallOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal, close } = deadline(options);
  try {
    signal.throwIfAborted();
    return await work(signal);
  } finally {
    close();
  }
}

/** The same for what is read step by step: the time runs until it is read to its end, or left. */
export async function* withinStream<T>(
  options: CallOptions,
  work: (signal: AbortSignal) => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  const { signal, close } = deadline(options);
  try {
    signal.throwIfAborted();
    yield* work(signal);
  } finally {
    close();
  }
}

/** Resolves after `ms`; rejects with the reason of the signal when that fires before. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** As `work`, or rejects with the reason of the signal when that fires before. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
