import { AskError } from './ask-error.ts';
import { CODINGS, type Coding } from './coding.ts';
import { parseFault, REQUEST_PHASES } from './faults.ts';
import type { KeyRow, Quota } from './keys.ts';
import type { ModelState } from './models.ts';
import type { Span } from './random.ts';
import { RETRY_AFTER_UNITS, type RetryAfterUnit } from './retry-after.ts';
import { ECHOES, type Echo, textOf } from './texts.ts';

/** How a picture is packed. The service often names JPEG bytes `.png` (upstream.md §10.1, T14). */
type FormatChoice = 'mixed' | 'png' | 'jpeg' | 'jpeg-named-png';

/** One chance in the fault mix: requests of that phase are struck with probability `p`. */
interface MixEntry {
  /** As in a header: `F9:as=html`. */
  readonly fault: string;
  readonly p: number;
  /** Which requests; left out, those that the fault strikes by itself. */
  readonly on?: string;
}

/** Refuses what fits until it is taken out of the settings. */
interface Refusal {
  /** HTTP status. */
  readonly status: number;
  /** Words of its own, or the name of a text as `@busy-zh`. */
  readonly text: string;
  /** Only calls for this model, and questions about its tasks. */
  readonly model?: string;
  /** Which calls; by default `submit` and `chat`. */
  readonly on?: readonly (typeof REQUEST_PHASES)[number][];
}

/** Everything that may change while the emulator runs. Defaults are those of upstream.md §13.3. */
export interface Settings {
  /** From submit to the end of an image task, ms. */
  taskMs: Span;
  /** From a chat request to its answer, ms. */
  chatMs: Span;
  /** Keys that are good; `any` takes whatever begins with `sk-`, but for `sk-bad…`. */
  keys: 'any' | readonly string[];
  /** Keys that are good beside `keys`, with what is known of each. */
  apiKeys: Readonly<Record<string, KeyRow>>;
  /** The quota of a key that `apiKeys` does not say: credits, `unlimited` (shown as 0), or `account` (shown as the balance). */
  keyQuota: Quota;
  /** How the balance calls write an amount. */
  creditsAs: 'number' | 'fraction' | 'string' | 'fraction-string';
  /** Paid POSTs in any 60 s, and tasks and synchronous calls open at once; 0 is off. */
  limits: { readonly rpm: number; readonly concurrent: number };
  /** What a 429 of the limits says in `Retry-After`, s; 0 sends no header. */
  retryAfterS: number;
  /** How it says so: seconds, the moment as unix seconds or milliseconds, or an HTTP date. */
  retryAfterAs: RetryAfterUnit;
  /** What a refusal, and the failure of a task, repeats of the caller's words. */
  echo: Echo;
  /** While an entry stands here, all calls that fit it are refused. */
  refusals: readonly Refusal[];
  /** A larger body is a 413, bytes. */
  bodyLimit: number;
  /** How the body of every answer is packed, asked for or not. */
  coding: Coding | 'none';
  /** Wait before a body is read, so that a large upload makes no progress, ms. */
  uploadStallMs: number;
  /** Life of task ids and files from creation, ms. */
  lifeMs: number;
  /** For how long after its creation the result query does not know a task, ms. */
  visibilityLagMs: number;
  /** HTTP status of a failed or violating task, on the result query and on a `json` submit. */
  failedStatus: 400 | 200;
  /** Can ids of `json` and `stream` submits be read? */
  synchronousIdsReadable: boolean;
  replyTypeDefault: 'json' | 'stream' | 'async';
  /** Does `data: [DONE]` end a task stream, a chat stream? */
  taskStreamDone: boolean;
  chatStreamDone: boolean;
  /** What a chat request without `stream` gets. */
  chatStreamDefault: boolean;
  resultsWhileRunning: 'missing' | 'null' | 'empty';
  /** A size or ratio that the model does not take: fails after the full time, is refused with 400, or runs forever. */
  badSize: 'fail' | 'refuse' | 'stall';
  /** Is a violation paid for? */
  violationCharged: boolean;
  /** Does a failed task give back what it cost? `table`: plain models do, the `-cl` and `-vip` tiers do not. */
  refundOnError: 'table' | 'always' | 'never';
  /** Credits for a chat answer, or `tokens`: by the price of its model for a million tokens, in and out. */
  chatCost: number | 'tokens';
  format: FormatChoice;
  /** Longest edge of rendered pictures, px; `full` renders the size that was asked for. */
  imageEdge: number | 'full';
  /** Start of file addresses; empty: the address of the node that took the task. */
  fileBase: string;
  /** Over the built-in table; a name that stands in no table becomes known by standing here. */
  models: Readonly<Record<string, ModelState>>;
  mix: readonly MixEntry[];
}

export const DEFAULTS: Readonly<Settings> = {
  taskMs: 2000,
  chatMs: 300,
  keys: 'any',
  apiKeys: {},
  keyQuota: 'account',
  creditsAs: 'number',
  limits: { rpm: 0, concurrent: 0 },
  retryAfterS: 0,
  retryAfterAs: 'seconds',
  echo: 'none',
  refusals: [],
  bodyLimit: 64 * 1024 * 1024,
  uploadStallMs: 0,
  coding: 'none',
  lifeMs: 2 * 60 * 60 * 1000,
  visibilityLagMs: 0,
  failedStatus: 400,
  synchronousIdsReadable: false,
  replyTypeDefault: 'json',
  taskStreamDone: false,
  chatStreamDone: true,
  chatStreamDefault: false,
  resultsWhileRunning: 'missing',
  badSize: 'fail',
  violationCharged: true,
  refundOnError: 'table',
  chatCost: 10,
  format: 'mixed',
  imageEdge: 256,
  fileBase: '',
  models: {},
  mix: [],
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): boolean => typeof value === 'number' && value >= 0;
const isSwitch = (value: unknown): boolean => typeof value === 'boolean';
const isSpan = (value: unknown): boolean => isCount(value) || (isObject(value) && isCount(value['min']) && isCount(value['max']));
const oneOf =
  (...allowed: readonly unknown[]) =>
  (value: unknown): boolean =>
    allowed.includes(value);

const isQuota = (value: unknown): boolean => isCount(value) || value === 'unlimited' || value === 'account';
const isKeyRow = (value: unknown): boolean =>
  isObject(value) &&
  Object.keys(value).every((name) => name === 'quota' || name === 'expireTime') &&
  (value['quota'] === undefined || isQuota(value['quota'])) &&
  (value['expireTime'] === undefined || isCount(value['expireTime']));

const isPhase = oneOf(...REQUEST_PHASES);
const isRefusal = (value: unknown): boolean =>
  isObject(value) &&
  Object.keys(value).every((name) => ['status', 'text', 'model', 'on'].includes(name)) &&
  Number.isInteger(value['status']) &&
  Number(value['status']) >= 200 &&
  Number(value['status']) < 600 &&
  typeof value['text'] === 'string' &&
  (value['model'] === undefined || typeof value['model'] === 'string') &&
  (value['on'] === undefined || (Array.isArray(value['on']) && value['on'].every(isPhase)));

const CHECKS: Readonly<Record<keyof Settings, (value: unknown) => boolean>> = {
  taskMs: isSpan,
  chatMs: isSpan,
  keys: (value) => value === 'any' || (Array.isArray(value) && value.every((key) => typeof key === 'string')),
  apiKeys: (value) => isObject(value) && Object.values(value).every(isKeyRow),
  keyQuota: isQuota,
  creditsAs: oneOf('number', 'fraction', 'string', 'fraction-string'),
  limits: (value) => isObject(value) && isCount(value['rpm']) && isCount(value['concurrent']),
  retryAfterS: isCount,
  retryAfterAs: oneOf(...RETRY_AFTER_UNITS),
  echo: oneOf(...ECHOES),
  refusals: (value) => Array.isArray(value) && value.every(isRefusal),
  bodyLimit: isCount,
  uploadStallMs: isCount,
  coding: oneOf('none', ...Object.keys(CODINGS)),
  lifeMs: isCount,
  visibilityLagMs: isCount,
  failedStatus: oneOf(400, 200),
  synchronousIdsReadable: isSwitch,
  replyTypeDefault: oneOf('json', 'stream', 'async'),
  taskStreamDone: isSwitch,
  chatStreamDone: isSwitch,
  chatStreamDefault: isSwitch,
  resultsWhileRunning: oneOf('missing', 'null', 'empty'),
  badSize: oneOf('fail', 'refuse', 'stall'),
  violationCharged: isSwitch,
  refundOnError: oneOf('table', 'always', 'never'),
  chatCost: (value) => value === 'tokens' || isCount(value),
  format: oneOf('mixed', 'png', 'jpeg', 'jpeg-named-png'),
  imageEdge: (value) => value === 'full' || (Number.isInteger(value) && isCount(value)),
  fileBase: (value) => typeof value === 'string',
  models: (value) => isObject(value) && Object.values(value).every(oneOf('live', 'maintenance', 'removed')),
  mix: (value) =>
    Array.isArray(value) && value.every((entry) => isObject(entry) && typeof entry['fault'] === 'string' && isCount(entry['p'])),
};

/** Checks settings that came from outside. Throws on an unknown name and on a value that does not fit. */
export function checkSettings(patch: unknown): Partial<Settings> {
  if (!isObject(patch)) throw new AskError('settings must be an object');
  for (const [name, value] of Object.entries(patch)) {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as keyof Settings] : undefined;
    if (check === undefined) throw new AskError(`unknown setting ${name}; known are ${Object.keys(CHECKS).join(', ')}`);
    if (!check(value)) throw new AskError(`setting ${name} cannot be ${JSON.stringify(value)}`);
  }
  for (const { text } of (patch as Partial<Settings>).refusals ?? []) textOf(text);
  for (const { fault } of (patch as Partial<Settings>).mix ?? []) parseFault(fault);
  return patch;
}
