import { type GrsaiApi, GrsaiError } from '@grsai-jobs/grsai';
import type { Credits } from '@grsai-jobs/job-store';

/** What was asked of upstream about our money. */
export interface Money {
  readonly credits: Credits;
  /** `unknown`: it could not be asked, or its answer does not say. */
  readonly state: 'broke' | 'fine' | 'unknown';
}

/** Asks for the quota of the key and the credits of the account; never rejects. */
export async function askForMoney({ account }: Pick<GrsaiApi, 'account'>, signal?: AbortSignal): Promise<Money> {
  const [quota, all] = await Promise.all([amount(account.credits({ signal })), amount(account.accountCredits({ signal }))]);
  const credits = {
    ...(typeof quota === 'number' ? { quota } : {}),
    ...(typeof all === 'number' ? { account: all } : {}),
  };
  return { credits, state: stateOf(quota, all) };
}

/** `none`: upstream does not say this number. */
type Amount = number | 'none' | 'unknown';

async function amount(asked: Promise<number>): Promise<Amount> {
  try {
    return await asked;
  } catch (error) {
    return error instanceof GrsaiError && error.outcome === 'refused' ? 'none' : 'unknown';
  }
}

/** The account's credits decide: a quota of 0 is also what a key without a limit has. Without them the quota is all there is. */
function stateOf(quota: Amount, account: Amount): Money['state'] {
  if (typeof account === 'number') return account > 0 ? 'fine' : 'broke';
  if (account === 'unknown' || typeof quota !== 'number') return 'unknown';
  return quota > 0 ? 'fine' : 'broke';
}

const NAMES = ['quota', 'account'] as const;

/** Whether somebody has topped up: a number is higher than the lowest that was seen. Where nothing was seen, any money is more. */
export const hasRisen = (low: Credits | undefined, now: Credits): boolean =>
  NAMES.some((name) => {
    const amount = now[name];
    return amount !== undefined && amount > (low === undefined ? 0 : (low[name] ?? Number.POSITIVE_INFINITY));
  });

/** The lower of each number that is known. */
export function lowest(low: Credits | undefined, now: Credits): Credits {
  const both: Credits = { ...low, ...now };
  for (const name of NAMES) {
    const [before, after] = [low?.[name], now[name]];
    if (before !== undefined && after !== undefined) both[name] = Math.min(before, after);
  }
  return both;
}
