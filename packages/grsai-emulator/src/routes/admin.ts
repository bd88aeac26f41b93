import { AskError } from '../ask-error.ts';
import type { RequestEntry } from '../bus.ts';
import { DIRECTIVES } from '../directives.ts';
import type { Exchange } from '../exchange.ts';
import type { ScriptEntry } from '../fault-plan.ts';
import { FAULTS } from '../faults.ts';
import type { Filter, Ledger } from '../ledger.ts';
import type { Settings } from '../settings.ts';
import type { Outcome } from '../tasks.ts';

/** What can be steered and asked from outside the process; the handle of the library is one. */
export interface Steering {
  readonly ledger: Ledger;
  readonly requests: readonly RequestEntry[];
  readonly settings: Readonly<Settings>;
  readonly nodes: readonly { readonly url: string }[];
  now(): number;
  configure(patch: unknown): void;
  setCredits(credits: number): void;
  script(...entries: readonly ScriptEntry[]): void;
  readonly pendingScript: readonly ScriptEntry[];
  endTask(id: string, outcome?: Outcome, error?: string): boolean;
  release(name: string): number;
  reset(): void;
  advance(ms: number): Promise<void>;
  waitFor<T>(ask: () => T | undefined | null | false | 0, timeoutMs?: number): Promise<T>;
}

type Action = (steering: Steering, x: Exchange, body: Readonly<Record<string, unknown>>) => unknown;

const STEER_BODY_LIMIT = 1024 * 1024;

const ACTIONS: Readonly<Record<string, Action>> = {
  'GET /_emulator/': () => ({ routes: Object.keys(ACTIONS), directives: DIRECTIVES, faults: FAULTS }),
  'GET /_emulator/ledger': ({ ledger }, x) => ({
    ...totals(ledger),
    submits: ledger.submitsOf(filterOf(x)),
    tasks: ledger.tasksOf(filterOf(x)),
    webhooks: ledger.webhooks,
  }),
  'GET /_emulator/ledger/totals': ({ ledger }) => totals(ledger),
  'GET /_emulator/requests': ({ requests }, x) => {
    const kind = x.url.searchParams.get('kind');
    return { requests: kind === null ? requests : requests.filter((entry) => entry.kind === kind) };
  },
  'GET /_emulator/wait': async (steering, x) => {
    const { ledger } = steering;
    const wanted = numberOf(x, 'count', 1);
    const list =
      x.url.searchParams.get('of') === 'tasks' ? () => ledger.tasksOf(filterOf(x)) : () => ledger.submitsOf(filterOf(x));
    return { found: await steering.waitFor(() => list().length >= wanted && list(), numberOf(x, 'timeout_ms', 10_000)) };
  },
  'GET /_emulator/settings': ({ settings }) => settings,
  'POST /_emulator/settings': (steering, _x, { credits, ...patch }) => {
    steering.configure(patch);
    if (credits !== undefined) steering.setCredits(Number(credits));
    return steering.settings;
  },
  'GET /_emulator/script': ({ pendingScript }) => ({ pending: pendingScript }),
  'POST /_emulator/script': (steering, _x, body) => {
    steering.script(...entriesOf(body));
    return { pending: steering.pendingScript };
  },
  'GET /_emulator/clock': (steering) => ({ now: steering.now() }),
  'POST /_emulator/clock/advance': async (steering, _x, { ms }) => {
    await steering.advance(Number(ms));
    return { now: steering.now() };
  },
  'POST /_emulator/end': (steering, _x, { id, outcome, error }) => ({
    ended: steering.endTask(String(id), outcomeOf(outcome), typeof error === 'string' ? error : undefined),
  }),
  'POST /_emulator/release': (steering, _x, { name }) => ({ released: steering.release(String(name)) }),
  'POST /_emulator/reset': (steering) => {
    steering.reset();
    return totals(steering.ledger);
  },
};

/** Everything under `/_emulator/`: JSON in, JSON out, 400 with a text for what cannot be done. */
export async function admin(x: Exchange, steering: Steering): Promise<void> {
  const name = `${x.request.method} ${x.url.pathname}`;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) return x.json(404, { error: { message: `emulator: no ${name}; see GET /_emulator/` } });
  const text = (await x.body(STEER_BODY_LIMIT)).toString('utf8');
  x.json(200, await action(steering, x, text === '' ? {} : readBody(text)));
}

function totals(ledger: Ledger): Record<string, unknown> {
  const { tasks } = ledger;
  const count = (status: string): number => tasks.filter((task) => task.status === status).length;
  return {
    credits: ledger.credits,
    creditsTaken: ledger.creditsTaken,
    creditsReturned: ledger.creditsReturned,
    submitCount: ledger.submits.length,
    acceptedCount: ledger.submitsOf({ outcome: 'accepted' }).length,
    taskCount: tasks.length,
    running: count('running'),
    succeeded: count('succeeded'),
    failed: count('failed'),
    violation: count('violation'),
    doublyPaid: ledger.doublyPaid(),
  };
}

function readBody(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return { entries: value as readonly unknown[] };
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // falls through to the one complaint
  }
  throw new AskError('the body must be a JSON object or list');
}

function entriesOf(body: Readonly<Record<string, unknown>>): ScriptEntry[] {
  const list: unknown = body['entries'] ?? [body];
  if (!Array.isArray(list)) throw new AskError('entries must be a list');
  return (list as readonly unknown[]).map((entry) => {
    if (typeof entry === 'object' && entry !== null && 'fault' in entry && typeof entry.fault === 'string')
      return { ...entry, fault: entry.fault };
    throw new AskError('a script entry is an object with a fault');
  });
}

const asText = (text: string): string => text;

/** How each field of a filter is read from the query. */
const FILTERS: Readonly<Record<keyof Filter, (text: string) => unknown>> = {
  kind: asText,
  model: asText,
  prompt: asText,
  outcome: asText,
  status: asText,
  taskId: asText,
  node: Number,
  answered: (text) => text === 'true',
};

function filterOf(x: Exchange): Filter {
  const given = Object.entries(FILTERS).flatMap(([name, read]) => {
    const text = x.url.searchParams.get(name);
    return text === null ? [] : [[name, read(text)]];
  });
  return Object.fromEntries(given) as Filter;
}

function outcomeOf(value: unknown): Outcome {
  const outcome = (['succeeded', 'failed', 'violation'] as const).find((known) => known === (value ?? 'succeeded'));
  if (outcome === undefined) throw new AskError('outcome is succeeded, failed or violation');
  return outcome;
}

function numberOf(x: Exchange, name: string, otherwise: number): number {
  const value = Number(x.url.searchParams.get(name) ?? otherwise);
  if (!(value >= 0)) throw new AskError(`${name} must be a number`);
  return value;
}
