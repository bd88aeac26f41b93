import type { Logger } from './logger.ts';
import type { Timers } from './timers.ts';
import { within } from './within.ts';

/** A part of a process that has to be stopped. Stopping twice, or before the start, is fine. */
export interface Service {
  readonly name: string;
  stop(): Promise<void>;
}

/**
 * Stops phase after phase, the parts of one phase together. A part that fails or takes longer than what is left of
 * `limitMs` is noted and the next phase still runs. Answers the failures; empty means a clean stop.
 */
export async function stopInOrder(
  timers: Pick<Timers, 'after' | 'elapsed'>,
  phases: readonly (readonly Service[])[],
  limitMs: number,
): Promise<Error[]> {
  const failures: Error[] = [];
  const deadline = timers.elapsed() + limitMs;
  for (const phase of phases) {
    await Promise.all(
      phase.map((service) =>
        within(timers, Math.max(0, deadline - timers.elapsed()), `${service.name} did not stop in time`, service.stop()).catch(
          (error: unknown) => {
            failures.push(error instanceof Error ? error : new Error(String(error)));
          },
        ),
      ),
    );
  }
  return failures;
}

/**
 * Runs `stop` at the first SIGTERM or SIGINT and then ends the process: 0 when all stopped cleanly, else 1. A second signal ends it at
 * once. The function that comes back does the same for another reason, and then the process ends with 1.
 */
export function stopOnSignals(log: Logger, stop: () => Promise<Error[]>): (reason: string) => void {
  let stopping = false;
  const end = (cleanCode: 0 | 1) => {
    stopping = true;
    const started = performance.now();
    stop().then(
      (failures) => {
        for (const err of failures) log.error({ err }, 'a part did not stop');
        log.info({ duration_ms: Math.round(performance.now() - started) }, 'stopped');
        log.flush(() => process.exit(failures.length === 0 ? cleanCode : 1));
      },
      (err: unknown) => {
        log.error({ err }, 'the stop failed');
        log.flush(() => process.exit(1));
      },
    );
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) {
      log.warn({ signal }, 'second signal, leaving at once');
      log.flush();
      process.exit(1);
    }
    log.info({ signal }, 'stopping');
    end(0);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return (reason) => {
    if (stopping) return;
    log.fatal({ event: 'process.must_stop' }, reason);
    end(1);
  };
}
