/**
 * Fires when a signal asks this process to stop, or when the process that started it is gone; the reason is a text for
 * people. A second signal ends the process at once, and what it started ends by itself.
 */
export function stopRequest(): AbortSignal {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  process.once('disconnect', () => stop.abort('the process that started this is gone'));
  process.channel?.unref();
  return stop.signal;
}

/** Resolves when `signal` fires. */
export function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
