import type { JobRecord } from './job/job.ts';

/** What an attempt is marked with whose answer ended without a `finish_reason`; of these the rules below are made. */
export const NO_FINISH_REASON = 'no_finish_reason';

/** What is known when an answer came to its end without a `finish_reason`: it may be whole, or cut short. */
interface Unfinished {
  /** Such answers before this one in the same run. */
  readonly before: number;
  /** This was the last attempt. */
  readonly last: boolean;
  /** The caller pays for nothing twice. */
  readonly once: boolean;
}

/** `accept`: it is the answer, as it came. `again`: it uses up an attempt, and the call is made once more. */
export type UnfinishedVerdict = 'accept' | 'again';

interface Row {
  readonly seen: string;
  readonly when: (seen: Unfinished) => boolean;
  readonly verdict: UnfinishedVerdict;
}

/** Read from the top; the one place that decides. */
const UNFINISHED_ROWS: readonly Row[] = [
  { seen: 'a second such answer: this upstream gives no reasons', when: (s) => s.before > 0, verdict: 'accept' },
  { seen: 'the last attempt', when: (s) => s.last, verdict: 'accept' },
  { seen: 'a call that is not to be repeated', when: (s) => s.once, verdict: 'accept' },
  { seen: 'the first such answer', when: () => true, verdict: 'again' },
];

/** What becomes of an answer without a `finish_reason`, by what stands in the record of its job. */
export function decideUnfinished({
  run,
  attempts,
  attempts_used,
  doc,
}: Pick<JobRecord, 'run' | 'attempts' | 'attempts_used' | 'doc'>): UnfinishedVerdict {
  const seen: Unfinished = {
    before: attempts.filter((each) => each.run === run && each.error_code === NO_FINISH_REASON).length,
    last: attempts_used + 1 >= doc.max_attempts,
    once: doc.on_unknown_submit === 'fail',
  };
  return UNFINISHED_ROWS.find(({ when }) => when(seen))?.verdict ?? 'accept';
}
