import type { ListPlace } from '@grsai-jobs/job-store';
import { Problem } from './problem.ts';

const FORM = /^(\d{1,15})\.([a-z]+_\w{1,64}(?:\.\w{1,16})?)$/;

/** A place in a list as callers carry it; what is in it is nobody's business but ours. */
export const cursorOf = (place: ListPlace | null): string | null =>
  place === null ? null : Buffer.from(`${place.at}.${place.id}`).toString('base64url');

/** @throws Problem 400 for a text that {@link cursorOf} did not make. */
export function placeOf(cursor: string): ListPlace {
  const [, at, id] = FORM.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  const place = at === undefined || id === undefined ? null : { at: Number(at), id };
  if (place === null || cursorOf(place) !== cursor)
    throw new Problem('bad_request', 'The cursor is not valid; take it from next_cursor of the page before, as it is.');
  return place;
}
