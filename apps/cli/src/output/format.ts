const S = 1000;
const MIN = 60 * S;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;

/** A span as a person says it: `850 ms`, `12.3 s`, `4 min 5 s`, `3 h 20 min`, `2 d 5 h`. */
export function duration(ms: number): string {
  if (ms < S) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 59_950) return `${(ms / S).toFixed(1)} s`;
  const s = Math.round(ms / S) * S;
  if (s < HOUR) return both(s, MIN, 'min', S, 's');
  if (s < DAY) return both(s, HOUR, 'h', MIN, 'min');
  return both(s, DAY, 'd', HOUR, 'h');
}

function both(ms: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${largeUnit}${rest === 0 ? '' : ` ${rest} ${smallUnit}`}`;
}

/** How long ago, in one unit: `now`, `40 s ago`, `3 min ago`, `5 h ago`, `2 d ago`. */
export function ago(at: string | null | undefined, now: number): string {
  if (!at) return '–';
  const ms = now - Date.parse(at);
  if (ms < S) return 'now';
  for (const [unit, size] of [
    ['d', DAY],
    ['h', HOUR],
    ['min', MIN],
  ] as const)
    if (ms >= size) return `${Math.floor(ms / size)} ${unit} ago`;
  return `${Math.floor(ms / S)} s ago`;
}

/** From one instant to another; to `now` while the second is not there yet. */
export function between(from: string | null | undefined, to: string | null | undefined, now: number): string {
  return from ? duration((to ? Date.parse(to) : now) - Date.parse(from)) : '–';
}

/** `512 B`, `1.5 KiB`, `20.0 MiB`. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = count < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10));
  return power === 0 ? `${count} B` : `${(count / 1024 ** power).toFixed(1)} ${units[power]}`;
}

/** Digits in groups of three: `50 000`. */
export const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ' ');

/** Local time of day, as a log has it. */
export function timeOfDay(at: string | number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/** `1 job`, `2 jobs`. */
export const plural = (value: number, one: string, many = `${one}s`): string => `${count(value)} ${value === 1 ? one : many}`;

/** What an upstream or a caller wrote, on one line and without steering characters of terminals. */
export const oneLine = (text: string): string => printable(text).replace(/\s+/g, ' ').trim();

/** Text of others as it may go to a terminal: line breaks and tabs stay, no other steering character does. */
export const printable = (text: string): string => text.replace(STEERING, '');

// C0 without tab and line feed, DEL, C1: among them is what moves the cursor or renames the window. And what turns the
// direction of all text behind it.
const STEERING = /(?![\t\n])[\p{Cc}\p{Bidi_Control}]/gu;

/** What something has cost, or may: `1 200 credits`, `600 credits reserved`. */
export function costText(
  cost: { credits: number; reserved: number; state: string; estimated: boolean } | null | undefined,
): string | null {
  if (!cost || cost.state === 'none') return null;
  const { credits, reserved, state, estimated } = cost;
  const open = reserved > 0 ? `, ${count(reserved)} more ${state === 'reserved' ? 'reserved' : 'may have been charged'}` : '';
  return `${estimated && open === '' ? 'about ' : ''}${plural(credits, 'credit')}${state === 'refunded' ? ' (refunded)' : ''}${open}`;
}

const WORDS: Readonly<Record<string, string>> = {
  turn: 'for its turn',
  tenant_limit: 'for a limit of the tenant',
  account_limit: 'for a limit of the account',
  rate_limit: 'for the next minute of the account',
  budget: 'for the budget of the tenant',
  backoff: 'to be tried again',
};

/** Why something waits: `for its turn, number 3 in line, for 5 min`. An older service does not say it. */
export function waitingText(
  waiting: { reason: string; since: string; position: number | null } | null | undefined,
  now: number,
): string | null {
  if (!waiting) return null;
  const { reason, since, position } = waiting;
  const why = WORDS[reason] ?? oneLine(reason.replace(/^paused:/, 'while paused: ').replaceAll('_', ' '));
  return `${why}${position === null ? '' : `, number ${count(position)} in line`}, for ${duration(now - Date.parse(since))}`;
}
