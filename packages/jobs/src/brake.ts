import type { JobError } from './job/job.ts';
import type { Observation, Verdict } from './retry-table.ts';
import { signatureOf, wordsOf } from './signature.ts';

/**
 * The brake for refusals that no row of the retry table knows. Such a refusal fails its job, since it may well be the job's own. But
 * when the last eight calls or submits of one model were refused with one and the same text, more of them would fail as many jobs as
 * there are: then they wait, and one job a minute goes ahead to see.
 *
 * Pure rules: what is known goes in, what is known afterwards comes out. Where it stands and who waits how long: packages/job-store.
 */
export const BRAKE_RULES = {
  /** Refusals in a row, with one text, that close the brake. */
  refusals: 8,
  /** One job goes ahead in this time. */
  probe_ms: 60_000,
  /** From when it may, a job of a tenant that was not refused goes before all others for so long. */
  others_first_ms: 10_000,
  /** Jobs that wait come one after another, so far apart, … */
  apart_ms: 50,
  /** … and each of them within this time. */
  round_ms: 10 * 60_000,
  /** What nobody was refused or asked for in this time is forgotten. */
  keep_ms: 3_600_000,
} as const;

/** A tenant that had work within this time would have been refused as well. */
export const OTHERS_MS = 10 * 60_000;

/** As many are kept, the newest: names of models are the callers' own. */
const MOST = 100;
const MOST_TENANTS = 32;

/** Whose call it was. */
export interface Caller {
  queue: 'call' | 'submit';
  model: string;
  tenant: string;
}

/** Refusals in a row with one text, of one model or (`null`) of all models of a queue. */
interface Streak {
  queue: Caller['queue'];
  model: string | null;
  text: string;
  count: number;
  /** Whose they were; two are enough to know. */
  models: string[];
  tenants: string[];
  /** The refusal that was counted last: one that is noted again, since the answer was lost, counts once. */
  last: string;
}

/** Whose calls wait; `null` is all. */
interface Scope {
  queue: Caller['queue'];
  model: string | null;
  tenant: string | null;
}

/** A brake that is closed. */
export interface Brake extends Scope {
  id: string;
  /** Names the text: see {@link refusalText}. */
  text: string;
  /** What upstream said, as it said it. */
  raw: string;
  since: number;
  refused_at: number;
  /** Who was refused; others go ahead first. */
  tenants: string[];
}

export interface BrakeState {
  streaks: readonly Streak[];
  brakes: readonly Brake[];
}

export const NO_BRAKE: BrakeState = { streaks: [], brakes: [] };

/** A refusal with a text that no row knows. */
export interface UnknownRefusal extends Caller {
  /** Names the brake, should it close. */
  id: string;
  text: string;
  raw: string;
  at: number;
  begun_at: number;
}

export interface Noted {
  state: BrakeState;
  /** The job is not to blame: it waits with the others and uses up no attempt. */
  held: boolean;
  closed: Brake | null;
  opened: readonly Brake[];
}

/** What is about the account, or may be, says nothing of a model: upstream had not looked at what was asked for. */
const OF_ACCOUNT: ReadonlySet<Verdict['kind']> = new Set(['pause', 'confirm', 'throttle']);
/** Words that are not known, or that seem to be about the account where a probe has said that all is well with it. */
const NOT_KNOWN: ReadonlySet<Observation['category']> = new Set(['unknown', 'auth', 'balance']);

/** What a call that did not work says of its model, when it was judged so. */
export function saysOfModel(seen: Observation, verdict: Verdict): 'unknown refusal' | 'another answer' | 'nothing' {
  if (seen.outcome !== 'refused' || OF_ACCOUNT.has(verdict.kind)) return 'nothing';
  return NOT_KNOWN.has(seen.category) ? 'unknown refusal' : 'another answer';
}

/**
 * What is the same in refusals of one cause: status and words, without what differs from job to job, without the model's name and
 * without what upstream repeats of the caller's own texts.
 */
export function refusalText(said: NonNullable<JobError['upstream']>, message: string, input: { model: string }): string {
  const plain = wordsOf(said.message || message);
  const words = textsIn(input).reduce(withoutEcho, plain.replaceAll(input.model, '<model>'));
  return signatureOf({ stage: 'submitting', code: 'upstream_failed', message, upstream: { ...said, message: words } }).id;
}

/** Whether the calls of somebody wait. */
export const covers = (scope: Scope, caller: Caller): boolean =>
  scope.queue === caller.queue &&
  (scope.model === null || scope.model === caller.model) &&
  (scope.tenant === null || scope.tenant === caller.tenant);

/** Whether this refusal closes a brake with refusals of one tenant alone, so that it matters whether others have work. */
export const isOfOneTenant = (state: BrakeState, refusal: UnknownRefusal): boolean =>
  heldBy(state, refusal).length === 0 && soleTenant(longStreak(withRefusal(state.streaks, refusal), refusal)) !== null;

/** The brakes that this refusal belongs to: with their text, or of a call that went ahead to see, whatever the answer was. */
const heldBy = ({ brakes }: BrakeState, refusal: UnknownRefusal): readonly Brake[] =>
  brakes.filter((brake) => covers(brake, refusal) && (brake.text === refusal.text || refusal.begun_at >= brake.since));

/**
 * One more refusal. `othersWork`: another tenant has work or had some of late, and was not refused: then what one tenant alone was
 * refused stops that tenant alone.
 */
export function noteRefusal(state: BrakeState, refusal: UnknownRefusal, othersWork: boolean): Noted {
  const streaks = withRefusal(state.streaks, refusal);
  const known = heldBy(state, refusal);
  const brakes = state.brakes.map((brake) => (known.includes(brake) ? again(brake, refusal) : brake));
  const found = longStreak(streaks, refusal);
  const sole = found === null ? null : soleTenant(found);
  const scope: Scope | null = found && { queue: found.queue, model: found.model, tenant: othersWork ? sole : null };
  // The eight that close a brake are their jobs' own failures. What comes after them, calls that were in flight among it, is not.
  const held = known.length > 0 || (found !== null && found.count > BRAKE_RULES.refusals);
  // What one tenant alone is still refused does not stop the others later, when they have been idle for a while.
  if (scope === null || known.some((brake) => isWithin(scope, brake)) || (known.length > 0 && sole !== null))
    return { state: { streaks, brakes }, held, closed: null, opened: [] };
  const { id, text, raw, at } = refusal;
  const closed: Brake = { ...scope, id, text, raw, since: at, refused_at: at, tenants: found?.tenants ?? [] };
  // A wider one takes the place of those within it: one job probes for all.
  const others = brakes.filter((brake) => brake.text !== text || !isWithin(brake, scope));
  return { state: { streaks, brakes: [...others, closed].slice(-MOST) }, held, closed, opened: [] };
}

/**
 * A call was answered in another way: well, or with a refusal that is known. Whatever was counted begins anew. A brake opens when
 * the call was begun after it had closed: older ones say how upstream was before.
 */
export function noteAnswer(state: BrakeState, caller: Caller, begunAt: number): Noted {
  const streaks = state.streaks.filter(
    ({ queue, model }) => queue !== caller.queue || (model !== null && model !== caller.model),
  );
  const opened = state.brakes.filter((brake) => covers(brake, caller) && begunAt >= brake.since);
  const brakes = state.brakes.filter((brake) => !opened.includes(brake));
  const same = streaks.length === state.streaks.length && opened.length === 0;
  return { state: same ? state : { streaks, brakes }, held: false, closed: null, opened };
}

/** An operator opens the brakes of a queue, of one model or of all, and what was counted begins anew. */
export function openBrakes(state: BrakeState, queue: string, model: string | null): Noted {
  const meant = (each: { queue: string; model: string | null }) =>
    each.queue === queue && (model === null || each.model === null || each.model === model);
  const opened = state.brakes.filter(meant);
  return {
    state: { streaks: state.streaks.filter((each) => !meant(each)), brakes: state.brakes.filter((each) => !meant(each)) },
    held: false,
    closed: null,
    opened,
  };
}

/** A text that is repeated, whole or cut off, has at least so much of its beginning in it. */
const ECHO = 8;
const MOST_TEXTS = 200;

/** What a caller wrote, whatever the input looks like. */
function textsIn(input: unknown): string[] {
  const found: string[] = [];
  const open: unknown[] = [input];
  for (let next = open.pop(); next !== undefined && found.length < MOST_TEXTS; next = open.pop()) {
    if (typeof next === 'string' && next.trim().length >= ECHO) found.push(next.trim());
    else if (typeof next === 'object' && next !== null) for (const each of Object.values(next)) open.push(each);
  }
  return found;
}

function withoutEcho(words: string, text: string): string {
  const start = words.indexOf(text.slice(0, ECHO));
  if (start === -1) return words;
  let length = ECHO;
  while (length < text.length && words[start + length] === text[length]) length += 1;
  return `${words.slice(0, start)}<echo>${words.slice(start + length)}`;
}

const isOf = (streak: Streak, { queue, model }: Caller): boolean =>
  streak.queue === queue && (streak.model === null || streak.model === model);

/** What all models of a queue were refused says more than what one was, once it was more than one. */
const counts = ({ model, models }: Streak): boolean => model !== null || models.length > 1;

const twoOf = (known: readonly string[], name: string): string[] => [...new Set([...known, name])].slice(0, 2);

function withRefusal(streaks: readonly Streak[], { queue, model, tenant, text, id }: UnknownRefusal): Streak[] {
  const one = (which: string | null): Streak => {
    const known = streaks.find((each) => each.queue === queue && each.model === which && each.text === text);
    const { count = 0, models = [], tenants = [], last } = known ?? {};
    const counted = last === id ? count : count + 1;
    return { queue, model: which, text, count: counted, models: twoOf(models, model), tenants: twoOf(tenants, tenant), last: id };
  };
  const others = streaks.filter((each) => !isOf(each, { queue, model, tenant }));
  return [...others.slice(2 - MOST), one(null), one(model)];
}

/** The refusals that close a brake: of all models of the queue where more than one was refused, else of the one. */
function longStreak(streaks: readonly Streak[], refusal: UnknownRefusal): Streak | null {
  const long = streaks.filter((each) => isOf(each, refusal) && counts(each) && each.count >= BRAKE_RULES.refusals);
  return long.find(({ model }) => model === null) ?? long[0] ?? null;
}

const soleTenant = (streak: Streak | null): string | null => (streak?.tenants.length === 1 ? (streak.tenants[0] ?? null) : null);

const isWithin = (inner: Scope, outer: Scope): boolean =>
  inner.queue === outer.queue &&
  (outer.model === null || outer.model === inner.model) &&
  (outer.tenant === null || outer.tenant === inner.tenant);

const again = (brake: Brake, { raw, at, tenant }: UnknownRefusal): Brake => ({
  ...brake,
  raw,
  refused_at: at,
  tenants: [...new Set([...brake.tenants, tenant])].slice(-MOST_TENANTS),
});
