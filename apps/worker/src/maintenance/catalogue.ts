import type { GrsaiApi } from '@grsai-jobs/grsai';
import type { JobStore } from '@grsai-jobs/job-store';
import type { Clock, Logger } from '@grsai-jobs/runtime';
import type { WorkerMetrics } from '../metrics.ts';

export const CATALOGUE_EVERY_MS = 10 * 60_000;

/**
 * The addresses that `GRSAI_CATALOGUE_URL` means, in the order in which they are asked. Only the vendor is known to have a list: `auto` asks
 * it when it is the vendor that all calls go to, and nobody else.
 */
export function catalogueAddresses(setting: string, bases: readonly string[], vendor: readonly string[]): readonly string[] {
  if (setting === 'off') return [];
  if (setting !== 'auto') return [setting];
  return bases.every((base) => vendor.includes(base)) ? bases : [];
}

interface Deps {
  store: Pick<JobStore, 'catalogue'>;
  grsai: { readonly models: Pick<GrsaiApi['models'], 'list'> };
  clock: Clock;
  log: Logger;
  metrics: Pick<WorkerMetrics, 'catalogueReads'>;
  shutdown: { readonly stopping: AbortSignal };
}

/**
 * Reads upstream's list of models for all processes, at the first address that has one. Only a list that has models takes the place of the
 * one before.
 */
export function createCatalogueTask(d: Deps, addresses: readonly string[]): () => Promise<void> {
  async function read() {
    let last: unknown;
    for (const base of addresses) {
      try {
        return await d.grsai.models.list({ base, signal: d.shutdown.stopping });
      } catch (err) {
        if (d.shutdown.stopping.aborted) return null;
        last = err;
      }
    }
    d.metrics.catalogueReads.inc({ outcome: 'failed' });
    d.log.warn({ event: 'catalogue.unread', err: last }, "upstream's list of models could not be read; the last one stays");
    return null;
  }

  return async () => {
    const list = addresses.length === 0 ? null : await read();
    if (list === null) return;
    await d.store.catalogue.put({ read_at: d.clock.now(), models: list.models });
    d.metrics.catalogueReads.inc({ outcome: 'read' });
    if (list.leftOut === 0) return;
    d.log.warn(
      { event: 'catalogue.rows_left_out', left_out: list.leftOut, models: list.models.length },
      "rows of upstream's list of models could not be read; the others were",
    );
  };
}
