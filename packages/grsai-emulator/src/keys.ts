import type { World } from './world.ts';

/** What may be known of a key beyond that it is good. */
export interface KeyRow {
  /** Credits that the key may spend in all, `unlimited`, or `account`: its quota is shown as the account's balance. */
  readonly quota?: Quota;
  /** Unix seconds; 0: never. */
  readonly expireTime?: number;
}

export type Quota = number | 'unlimited' | 'account';

export type KeyProblem = 'apikey error' | 'apikey is empty' | 'apikey not found' | 'apikey expired';

const rowOf = (key: string, world: World): KeyRow => {
  const { apiKeys } = world.settings;
  return (Object.hasOwn(apiKeys, key) ? apiKeys[key] : undefined) ?? {};
};

/** Why a key is refused; undefined: it is good. The text for an expired key is ours. */
export function keyProblem(key: string, world: World): KeyProblem | undefined {
  if (key === '') return 'apikey is empty';
  const { keys, apiKeys } = world.settings;
  const named = Object.hasOwn(apiKeys, key);
  const good = named || (keys === 'any' ? key.startsWith('sk-') && !key.startsWith('sk-bad') : keys.includes(key));
  // Other kinds of keys (tokens of the account, keys of another vendor) do not begin so.
  if (!good) return key.startsWith('sk-') ? 'apikey error' : 'apikey not found';
  const { expireTime = 0 } = rowOf(key, world);
  return expireTime > 0 && world.clock.now() >= expireTime * 1000 ? 'apikey expired' : undefined;
}

/** What the key may still spend; infinite for one without a limit. */
export function quotaLeft(key: string, world: World): number {
  const quota = rowOf(key, world).quota ?? world.settings.keyQuota;
  return typeof quota === 'number' ? quota - world.ledger.spentBy(key) : Number.POSITIVE_INFINITY;
}

/**
 * What `getAPIKeyCredits` says of a key: its quota, not the account's money. A key without a limit answers 0,
 * however rich the account is.
 */
export function tellQuota(
  key: string,
  node: number,
  world: World,
): { readonly credits: number | string; readonly expireTime?: number } {
  const { quota = world.settings.keyQuota, expireTime } = rowOf(key, world);
  const amounts = { unlimited: () => 0, account: () => world.ledger.balance(node) };
  const credits = typeof quota === 'number' ? quotaLeft(key, world) : amounts[quota]();
  return { credits: tellAmount(credits, world), ...(expireTime === undefined ? {} : { expireTime }) };
}

/** An amount in the form that the settings ask for: upstream may send a fraction, or a text. */
export function tellAmount(credits: number, world: World): number | string {
  const form = world.settings.creditsAs;
  const amount = form === 'fraction' || form === 'fraction-string' ? credits + 0.25 : credits;
  return form === 'string' || form === 'fraction-string' ? String(amount) : amount;
}
