import type { Clock, Logger } from '@grsai-jobs/runtime';
import type { PauseControl } from './pause-control.ts';

/** S3 has failed for this long: what cannot be kept is not paid for (P3). */
const FAILING_MS = 60_000;

export interface StorageHealth {
  stored(): void;
  failed(detail: string): void;
}

export function createStorageHealth(control: PauseControl, clock: Clock, log: Logger): StorageHealth {
  let since: number | null = null;
  return {
    stored() {
      since = null;
    },
    failed(detail) {
      since ??= clock.now();
      if (clock.now() - since < FAILING_MS) return;
      control
        .pause('storage', detail)
        .catch((err: unknown) => log.warn({ event: 'pause.not_written', err }, 'a pause could not be written'));
    },
  };
}
