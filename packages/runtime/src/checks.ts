import type { Service } from './lifecycle.ts';
import type { Logger } from './logger.ts';
import { READY_LIMIT_MS } from './readiness.ts';
import { systemTimers } from './timers.ts';
import { within } from './within.ts';

/**
 * What a look at one part came to. `failing`: the process cannot do its work. `warn`: it can, and a person has to act.
 * `unknown`: nobody knows, which is no trouble by itself.
 */
export type Finding = { readonly state: 'ok' } | { readonly state: 'warn' | 'failing' | 'unknown'; readonly reason: string };

export const OK: Finding = { state: 'ok' };

/** One part that a process needs, and how it is looked at. */
export interface Check {
  readonly name: string;
  /** Who asks within so many ms after an answer gets the same one: a look may cost a request to others. */
  readonly everyMs: number;
  /** Where it is not well it is looked at again by itself after so many ms. */
  readonly againMs: number;
  /** What it throws is a failure; `explain` puts it in words. Two are never open at once. */
  readonly look: () => Promise<Finding>;
  readonly explain?: (error: unknown) => string;
}

export interface NamedFinding {
  readonly name: string;
  readonly finding: Finding;
}

export interface Checks extends Service {
  /** What is known of each check, at most `everyMs` old; takes no longer than `READY_LIMIT_MS`. */
  findings(): Promise<NamedFinding[]>;
}

/** Looks at all parts once, then when somebody asks, and again and again at what is not well. Says in the log what has changed. */
export function watchChecks(checks: readonly Check[], log: Logger): Checks {
  const watched = checks.map((check) => watchOne(check, log));
  for (const each of watched) void each.finding();
  return {
    name: 'checks',
    findings: () => Promise.all(watched.map(async ({ name, finding }) => ({ name, finding: await finding() }))),
    stop: async () => {
      for (const each of watched) each.stop();
    },
  };
}

const SILENT: Finding = { state: 'failing', reason: `no answer within ${READY_LIMIT_MS} ms` };

function watchOne(check: Check, log: Logger) {
  const say = createTeller(check.name, log);
  let last: { finding: Finding; at: number } | undefined;
  let open: Promise<Finding> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const note = (finding: Finding): Finding => {
    last = { finding, at: performance.now() };
    if (stopped) return finding;
    say(finding);
    clearTimeout(timer);
    if (finding.state === 'warn' || finding.state === 'failing') timer = setTimeout(look, check.againMs).unref();
    return finding;
  };
  const failed = (error: unknown): Finding => {
    const reason = check.explain?.(error) ?? (error instanceof Error ? error.message : String(error));
    return { state: 'failing', reason };
  };
  const look = (): Promise<Finding> => {
    open ??= check
      .look()
      .catch(failed)
      .then((finding) => {
        open = undefined;
        return note(finding);
      });
    return open;
  };
  return {
    name: check.name,
    async finding(): Promise<Finding> {
      if (last !== undefined && performance.now() - last.at < check.everyMs) return last.finding;
      // The look goes on, and what it comes to counts when it is there.
      return await within(systemTimers, READY_LIMIT_MS, '', look()).catch(() => note(SILENT));
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** A line when the state changes, and one for each reason that is new since then: however often it is looked at. */
function createTeller(check: string, log: Logger): (finding: Finding) => void {
  let state: Finding['state'] = 'ok';
  let said = new Set<string>();
  return (finding) => {
    const reason = finding.state === 'ok' ? '' : finding.reason;
    if (finding.state === state && (finding.state === 'ok' || said.has(reason))) return;
    if (finding.state !== state) said = new Set();
    said.add(reason);
    const before = state;
    state = finding.state;
    if (finding.state === 'ok') log.info({ event: 'check.ok', check, before }, `${check} is well`);
    else if (finding.state === 'unknown') log.info({ event: 'check.unknown', check }, `${check}: ${reason}`);
    else log.warn({ event: 'check.failed', check, state: finding.state }, `${check}: ${reason}`);
  };
}
