import { ApiError } from './api.js';

/** Where nothing is refreshed by itself, a failed load is tried again after this time. */
const AGAIN_MS = 5000;

/**
 * Loads now, and again every `everyMs()` after each answer, but only while the tab can be seen: a tab in the background
 * asks nothing and catches up when it is looked at. A failed load is reported, and tried again.
 * @param {{ load: (signal: AbortSignal) => Promise<void>, everyMs: () => number | null,
 *   onFresh: () => void, onTrouble: (error: unknown) => void }} o
 */
export function startRefresh(o) {
  const ended = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let loading = false;
  let due = false;

  /** Loads once. @returns {Promise<number | null>} when to load again, in ms */
  async function load() {
    try {
      await o.load(ended.signal);
      if (!ended.signal.aborted) o.onFresh();
      return o.everyMs();
    } catch (error) {
      if (!ended.signal.aborted) o.onTrouble(error);
      const isGone = error instanceof ApiError && error.status === 404;
      return isGone ? null : (o.everyMs() ?? AGAIN_MS);
    }
  }

  async function run() {
    clearTimeout(timer);
    due = loading;
    if (loading) return;
    loading = true;
    const waitMs = await load();
    loading = false;
    if (ended.signal.aborted) return;
    if (due) void run();
    else if (waitMs !== null) timer = setTimeout(look, waitMs);
  }

  const look = () => {
    due = document.hidden;
    if (!document.hidden) void run();
  };

  document.addEventListener(
    'visibilitychange',
    () => {
      if (!document.hidden && due) void run();
    },
    { signal: ended.signal },
  );

  void run();
  return {
    now: () => void run(),
    stop: () => {
      clearTimeout(timer);
      ended.abort();
    },
  };
}
