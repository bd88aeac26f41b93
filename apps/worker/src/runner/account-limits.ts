import type { AccountLimits } from '@grsai-jobs/job-store';
import type { WorkerConfig } from '../config.ts';

/** The part of the account that image tasks leave free where nobody has said it. */
const AUTO_RESERVE = 0.1;

/**
 * What the account may have at once. Image tasks live for minutes and synchronous calls for seconds: tasks leave a reserve free, so that a
 * call waits for no task. At least one task goes.
 * @param callSlots how many synchronous calls all workers can make at once, as far as it is known.
 */
export function accountLimits(
  o: Pick<WorkerConfig, 'GRSAI_MAX_IN_FLIGHT' | 'GRSAI_CALL_RESERVE' | 'GRSAI_RPM' | 'TENANT_MAX_IN_FLIGHT'>,
  callSlots: number,
): AccountLimits {
  const { GRSAI_MAX_IN_FLIGHT: most, GRSAI_CALL_RESERVE: asked, GRSAI_RPM: rpm } = o;
  const callReserve = asked === 'auto' ? Math.max(0, Math.min(Math.ceil(AUTO_RESERVE * most), most - 1)) : asked;
  return { maxInFlight: most, callReserve: most === 0 ? 0 : callReserve, callSlots, maxOfTenant: o.TENANT_MAX_IN_FLIGHT, rpm };
}
