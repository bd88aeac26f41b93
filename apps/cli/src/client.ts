import { GrsaiJobs, type GrsaiJobsError } from '@grsai-jobs/client';
import type { Host } from './host.ts';

/** Where the service stays away for so long, a person or a script that waits has to know. */
export const OUTAGE_MS = 420_000;

/** A client whose requests and pauses end with Ctrl-C; `note` gets a line for each request that is sent again. */
export function createClient(host: Host, o: { url: string; key: string; note: (line: string) => void }): GrsaiJobs {
  const until = (signal: AbortSignal | null | undefined): AbortSignal =>
    signal ? AbortSignal.any([signal, host.interrupt]) : host.interrupt;
  const onRetry = (error: GrsaiJobsError, waitMs: number): void => {
    if (host.interrupt.aborted) return;
    const seen = error.status === undefined ? error.detail : `${o.url} answered ${error.status}`;
    o.note(`${seen}; again in ${(waitMs / 1000).toFixed(1)} s.`);
  };
  return new GrsaiJobs(
    {
      baseUrl: o.url,
      apiKey: o.key,
      onRetry,
      fetch: async (input, init) => await host.fetch(input, { ...init, signal: until(init?.signal) }),
    },
    { now: host.now, random: host.random, sleep: async (ms, signal) => await host.sleep(ms, until(signal)) },
  );
}
