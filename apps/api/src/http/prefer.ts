/** Also what `Prefer: wait` without a number means. */
const MAX_WAIT_S = 60;

/** What stands between commas; a comma in quotes is none. */
const EACH = /(?:[^",]|"(?:[^"\\]|\\.)*"?)+/g;

/** The value of a wait, `''` when it has none; `undefined` for another preference. */
function waitOf(preference: string): string | undefined {
  const [said = ''] = preference.split(';');
  const [name = '', ...values] = said.split('=');
  if (name.trim().toLowerCase() !== 'wait') return undefined;
  const value = values.join('=').trim();
  return /^".*"$/s.test(value) ? value.slice(1, -1).trim() : value;
}

/**
 * The seconds of `Prefer: wait=…` (RFC 7240): 1 to 60, more is 60, and 60 where it has no value. `undefined` when the caller does
 * not want to wait, which `wait=0` says too. Preferences that cannot be read are ignored, as are all others: nobody is
 * refused for a wish.
 */
export function preferredWait(header: string | string[] | undefined): number | undefined {
  const preferences = [header ?? []].flat().join(',').match(EACH) ?? [];
  const value = preferences.map(waitOf).find((each) => each !== undefined && /^\d*$/.test(each));
  if (value === undefined) return undefined;
  const seconds = value === '' ? MAX_WAIT_S : Math.min(Number(value), MAX_WAIT_S);
  return seconds === 0 ? undefined : seconds;
}
