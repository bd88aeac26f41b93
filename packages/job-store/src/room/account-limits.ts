export interface AccountLimits {
  /** Jobs with a call in flight or a living task, over all workers. 0: no limit. */
  maxInFlight: number;
  /** How many of these image tasks leave to synchronous calls. */
  callReserve: number;
  /** How many synchronous calls all workers can make at once. 0: not known. */
  callSlots: number;
  /** Jobs of one tenant with a call in flight or a living task, where no operator has said it. 0, or left out: no limit. */
  maxOfTenant?: number;
  /** Calls and submits in a minute, over all workers. 0: no limit. */
  rpm: number;
}

/** As scripts get them. */
export const limitsOf = ({ maxInFlight, callReserve, callSlots, maxOfTenant = 0, rpm }: AccountLimits) => ({
  max: maxInFlight,
  reserve: callReserve,
  slots: callSlots,
  tenant: maxOfTenant,
  rpm,
});
