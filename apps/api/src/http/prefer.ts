import { Problem } from './problem.ts';

const MAX_WAIT_S = 60;

/**
 * The seconds of `Prefer: wait=…` (RFC 7240); `undefined` when the caller does not want to wait. Other preferences pass.
 * @throws Problem 400 for a wait that is no number from 1 to 60.
 */
export function preferredWait(header: string | string[] | undefined): number | undefined {
  const preferences = [header ?? []].flat().join(',').split(/[,;]/);
  const wait = preferences.map((each) => each.trim()).find((each) => /^wait\s*(=|$)/i.test(each));
  if (wait === undefined) return undefined;
  const seconds = /^wait\s*=\s*"?(\d{1,3})"?$/i.exec(wait)?.[1];
  if (seconds === undefined || Number(seconds) < 1 || Number(seconds) > MAX_WAIT_S)
    throw new Problem('bad_request', `Prefer: wait takes 1 to ${MAX_WAIT_S} seconds, as wait=30.`);
  return Number(seconds);
}
