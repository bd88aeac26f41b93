import type { Canceled, Reopened } from '@grsai-jobs/job-actions';
import type { JobRecord } from '@grsai-jobs/jobs';
import { noSuchJob } from '../http/own-job.ts';
import { Problem } from '../http/problem.ts';

const busy = () => new Problem('unavailable', 'The job is changing too fast at this moment. Send the request again.');

/** The job as a cancel left it; what a cancel could not do becomes a problem that says why. */
export function canceledJob(outcome: Canceled): JobRecord {
  switch (outcome.kind) {
    case 'canceled':
    case 'canceling':
      return outcome.record;
    case 'ended':
      throw new Problem('conflict', `The job is ${outcome.record.status} already; there is nothing left to cancel.`);
    case 'missing':
      throw noSuchJob();
    case 'busy':
      throw busy();
  }
}

/** The job in its new run, or a problem that says why it has none. */
export function reopenedJob(outcome: Reopened): JobRecord {
  switch (outcome.kind) {
    case 'reopened':
      return outcome.record;
    case 'refused':
      throw new Problem('conflict', outcome.plan.text);
    case 'full':
      throw new Problem('unavailable', 'The job store is nearly full. Nothing was changed; send the request again later.');
    case 'missing':
      throw noSuchJob();
    case 'busy':
      throw busy();
  }
}
