import type { Principal } from '@grsai-jobs/job-store';
import type { Response } from 'express';

/** Requests that stay open for long, and what must not outlive their keys. */
export interface KeyEnds {
  /** Aborts when the key that let this request in is revoked or expires while the answer is open; never for the key of the configuration. */
  keyEnds: (response: Response) => AbortSignal;
  /** Some key was revoked, or may have been. */
  recheck: () => void;
}

interface Open {
  readonly key: string;
  readonly ended: AbortController;
}

/** The longest that a timer takes. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Set by whoever let the request in: the text of its key and who that is. */
export const letIn = (response: Response, key: string, principal: Principal): void => {
  response.locals['apiKey'] = { key, principal };
};

export function createKeyEnds(o: {
  /** Who has a key that was found of late, and was not revoked since. */
  known: (key: string) => Principal | undefined;
  find: (key: string) => Promise<Principal | null>;
  clock: { now(): number };
  onError: (error: Error) => void;
}): KeyEnds {
  const open = new Set<Open>();

  async function look(key: string): Promise<void> {
    if ((await o.find(key)) !== null) return;
    for (const each of open) if (each.key === key) each.ended.abort();
  }

  return {
    keyEnds(response) {
      const ended = new AbortController();
      const letInBy = response.locals['apiKey'] as { key: string; principal: Principal } | undefined;
      if (letInBy === undefined || response.destroyed) return ended.signal;
      const entry = { key: letInBy.key, ended };
      const expires = letInBy.principal.expires_at;
      const left = expires === null ? LONGEST_TIMER_MS : expires - o.clock.now();
      const timer = left < LONGEST_TIMER_MS ? setTimeout(() => ended.abort(), left).unref() : undefined;
      open.add(entry);
      response.on('close', () => {
        clearTimeout(timer);
        open.delete(entry);
      });
      // It may have been revoked while the body came, or before the answer was made.
      if (o.known(entry.key) === undefined) look(entry.key).catch(o.onError);
      return ended.signal;
    },
    recheck() {
      // One look for each key, however many requests it has open. What cannot be looked up now is looked up when Redis is back.
      for (const key of new Set([...open].map((each) => each.key))) look(key).catch(o.onError);
    },
  };
}
