/** What a record says that its calls have come to, in credits. */
export interface CostSaid {
  readonly charged: number;
  readonly refunded: number;
  /** Set aside for the call in flight, and for calls of which nobody will know it. */
  readonly reserved: number;
}

/** What the ledger of upstream has of the same calls. */
export interface CostTaken {
  /** Without what was given back. */
  readonly taken: number;
  readonly refunded: number;
}

const isWithin = (said: number, stands: number, reserved: number): boolean => said <= stands && stands <= said + reserved;

/**
 * What is wrong with the costs that a record says; `null`: upstream took at least what is charged, and at most that with what is reserved, and gave back what
 * is refunded in the same way.
 *
 * @param o.isChat what a refused chat had held for a moment is no refund of ours.
 * @param o.mayBeUnknown something was done to it that can leave a call unknown. Without it nothing stays reserved.
 */
export function wrongCost(
  { charged, refunded, reserved }: CostSaid,
  { taken, refunded: back }: CostTaken,
  o: { isChat: boolean; mayBeUnknown: boolean },
): string | null {
  const said = `says ${charged} charged, ${refunded} refunded and ${reserved} reserved`;
  if (!isWithin(charged, taken, reserved)) return `${said}, and upstream took ${taken}`;
  if (!o.isChat && !isWithin(refunded, back, reserved)) return `${said}, and upstream gave back ${back}`;
  if (!o.mayBeUnknown && reserved > 0) return `${said}, and nothing can have left a call unknown`;
  return null;
}
