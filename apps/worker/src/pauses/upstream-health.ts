import type { GrsaiError } from '@grsai-jobs/grsai';
import type { Logger } from '@grsai-jobs/runtime';
import { createBreaker } from './breaker.ts';
import type { PauseControl } from './pause-control.ts';

export interface UpstreamHealth {
  /** A call was answered, whatever the answer says. */
  answered(): void;
  failed(error: GrsaiError): void;
  /** What `maintain` has seen of the breaker; while it is half open the next answer decides. */
  seen(state: 'open' | 'half' | 'paused'): void;
}

/** Watches how calls and submits of this process end, and pauses for `upstream` so that an outage costs a handful of jobs. */
export function createUpstreamHealth(control: PauseControl, log: Logger): UpstreamHealth {
  const breaker = createBreaker();
  let half = false;
  const quietly = (work: Promise<void>) => {
    work.catch((err: unknown) =>
      log.warn({ event: 'pause.not_written', err }, 'a pause could not be written; the next call tries again'),
    );
  };
  return {
    answered() {
      breaker.note(false);
      if (!half) return;
      half = false;
      breaker.reset();
      quietly(control.resume('upstream'));
    },
    failed(error) {
      // A cut by our own stop and a mistake of our own say nothing about upstream.
      if (error.code === 'aborted' || error.code === 'invalid_request') return;
      if (error.outcome === 'refused') return this.answered();
      const down = breaker.note(true);
      if (half) {
        half = false;
        quietly(control.closeAgain('upstream', error.code));
      } else if (down) {
        breaker.reset();
        quietly(control.pause('upstream', error.code));
      }
    },
    seen(state) {
      half = state === 'half';
    },
  };
}
