import type { Evidence } from '../evidence.ts';
import { batchesAddUp } from './batches.ts';
import { oneTerminalEventForEachRun, pendingDeliveriesArrive } from './events.ts';
import { acceptedJobsEnd, oneKeyMakesOneJob } from './jobs.ts';
import { noTaskIsPaidTwice, nothingIsBoughtAfterTheEnd, paidResultsAreKept, storedResultsAreRight } from './paid.ts';
import { logsHaveNoUnexpectedErrors, processesLive } from './processes.ts';
import { repairsAreExplained } from './repairs.ts';
import { budgetsHold, costsAddUp, refusalsAreRight } from './spending.ts';
import { unknownIsExplained } from './unknown.ts';

/** What must hold at the end of every run. Each answers what is wrong, in words that name the jobs. */
export const CHECKS: Readonly<Record<string, (evidence: Evidence) => string[]>> = {
  'every accepted job has ended': acceptedJobsEnd,
  'one Idempotency-Key makes one job': oneKeyMakesOneJob,
  'every batch adds up': batchesAddUp,
  'no task is paid for twice': noTaskIsPaidTwice,
  'nothing is bought after the end': nothingIsBoughtAfterTheEnd,
  'every paid result is kept': paidResultsAreKept,
  'what is stored is what upstream served': storedResultsAreRight,
  'every submit_unknown is explained': unknownIsExplained,
  'what was charged is what upstream has taken': costsAddUp,
  'no tenant is above its budget': budgetsHold,
  'limits refuse by their codes, and not once they are lifted': refusalsAreRight,
  'one terminal event for each run': oneTerminalEventForEachRun,
  'every pending delivery has arrived, and no other': pendingDeliveriesArrive,
  'every repair is explained by a kill': repairsAreExplained,
  'no unexpected error in the logs': logsHaveNoUnexpectedErrors,
  'no process ended that nobody killed': processesLive,
};

export interface Finding {
  readonly check: string;
  readonly problems: readonly string[];
}

/** The checks that did not hold. */
export const findings = (evidence: Evidence): Finding[] =>
  Object.entries(CHECKS)
    .map(([check, ask]) => ({ check, problems: ask(evidence) }))
    .filter(({ problems }) => problems.length > 0);
