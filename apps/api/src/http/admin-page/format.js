const COUNT = new Intl.NumberFormat('en');
const SHORT = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** @param {number} n */
export const count = (n) => COUNT.format(n);

/** @param {number} n */
export const rate = (n) => SHORT.format(n);

const UNITS = /** @type {const} */ ([
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
]);

/**
 * `0.4 s`, `42 s`, `3 min`, `2 h 5 min`, `3 d 4 h`: two units at most.
 * @param {number} seconds
 */
export function age(seconds) {
  if (seconds < 10) return `${SHORT.format(Math.max(0, seconds))} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const first = UNITS.findIndex(([, size]) => whole >= size);
  const [name, size] = UNITS[first] ?? UNITS[2];
  const next = UNITS[first + 1];
  const rest = next === undefined ? 0 : Math.floor((whole % size) / next[1]);
  return `${Math.floor(whole / size)} ${name}${rest > 0 && next ? ` ${rest} ${next[0]}` : ''}`;
}

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** @param {number} n */
export function bytes(n) {
  const power = n < 1 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log2(n) / 10));
  return `${SHORT.format(n / 1024 ** power)} ${SIZES[power]}`;
}

/** @param {number} ms */
export const duration = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : age(ms / 1000));

/** @param {string} rfc3339 @param {number} now */
export const ago = (rfc3339, now) => {
  const seconds = (now - Date.parse(rfc3339)) / 1000;
  return seconds < 5 ? 'just now' : `${age(Math.round(seconds))} ago`;
};

/** `sub_mitting` words of the API as words of a page. @param {string} name */
export const words = (name) => name.replaceAll('_', ' ').replace(/^(job|batch)\./, '');

/**
 * What a job has cost, or may have: `1 200 credits, charged`.
 * @param {{ credits: number, reserved: number, state: string, estimated: boolean }} cost
 */
export const costText = ({ credits, reserved, state, estimated }) =>
  [
    `${count(credits)} credits`,
    ...(reserved > 0 ? [`${count(reserved)} reserved`] : []),
    state,
    ...(estimated ? ['estimated'] : []),
  ].join(', ');

/**
 * Why a job waits: `tenant limit, number 3 of its tenant, for 5 min`.
 * @param {{ reason: string, since: string | null, position: number | null }} waiting
 * @param {number} now
 */
export const waitingText = ({ reason, since, position }, now) =>
  [
    words(reason).replace(/^paused:/, 'paused: '),
    ...(position === null ? [] : [`number ${count(position)} of its tenant`]),
    ...(since === null ? [] : [`for ${age(Math.round((now - Date.parse(since)) / 1000))}`]),
  ].join(', ');
