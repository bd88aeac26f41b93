import { AskError } from './ask-error.ts';
import { CODINGS } from './coding.ts';
import { ODD_CHAT } from './odd-chat.ts';
import { RETRY_AFTER_UNITS } from './retry-after.ts';
import { TEXTS, textOf } from './texts.ts';

/** Where a fault can strike. `stream` and `webhook` are reached only through the task that carries the fault. */
export type Phase = 'submit' | 'chat' | 'poll' | 'stream' | 'file' | 'webhook' | 'side';

/** Phases that are requests by themselves. */
export const REQUEST_PHASES = ['submit', 'chat', 'poll', 'file', 'side'] as const satisfies readonly Phase[];

interface Row {
  readonly title: string;
  /** Where it can strike; a request whose own phase stands here is struck itself, else what follows from it. */
  readonly at: readonly Phase[];
  /** Where it strikes only when `at=` says so. */
  readonly also?: readonly Phase[];
  /** Does it strike at all of `at`, not only at the request that carries it? */
  readonly everywhere?: boolean;
  /** How often it strikes the same prompt, task or file when the prompt asks for it. */
  readonly times: number;
  /** The forms it comes in; the first is the default. */
  readonly as?: readonly string[];
  /** Further parameters and their defaults. `text` takes the name of a text, as `@busy-zh`. */
  readonly params?: Readonly<Record<string, string>>;
  /** Parameters that take certain words only. */
  readonly words?: Readonly<Record<string, readonly string[]>>;
}

const ALWAYS = Number.POSITIVE_INFINITY;
const TRANSIENT = 'Upstream rate limit exceeded. Please retry later.';

/** The faults of upstream.md §13.2. */
export const FAULTS = {
  F1: { title: 'bad key', at: ['submit', 'chat'], times: ALWAYS, as: ['error', 'empty', 'not-found', 'expired'] },
  F2: { title: 'credits exhausted', at: ['submit', 'chat'], times: ALWAYS },
  F3: {
    title: '429 before anything happened',
    at: ['submit', 'chat', 'poll', 'file', 'side'],
    times: 1,
    as: ['json', 'empty'],
    params: { 'retry-after': '', unit: 'seconds' },
    words: { unit: RETRY_AFTER_UNITS },
  },
  F4: {
    title: 'a page of the front proxy with 500, 502, 503 or 504',
    at: ['submit', 'chat', 'poll', 'file', 'side'],
    times: 1,
    as: ['html', 'text'],
    params: { status: '502', task: 'no' },
  },
  F5: { title: '413 as HTML', at: ['submit', 'chat'], times: ALWAYS },
  F6: {
    title: 'accepted and charged, connection cut before the answer',
    at: ['submit', 'chat'],
    times: 1,
    as: ['reset', 'close'],
    params: { task: 'yes' },
  },
  F7: {
    title: 'whole answer, strangely sent: connection left open, wrapped as SSE, in small pieces',
    at: ['submit', 'chat', 'poll'],
    times: ALWAYS,
    as: ['open', 'sse', 'sse-open', 'chunks'],
    params: { ms: '120000', bytes: '1' },
  },
  F8: { title: 'result not known for the first time', at: ['poll'], times: ALWAYS, params: { ms: '5000' } },
  F9: {
    title: 'junk instead of a result; placed by `at`, instead of the answer to a submit or chat',
    at: ['poll'],
    also: ['submit', 'chat'],
    times: 1,
    as: ['empty', 'html', 'truncated', 'no-id', 'timeout', 'reset'],
    params: { ms: '600000', task: 'yes' },
  },
  F10: {
    title: 'strange progress',
    at: ['poll', 'stream'],
    times: ALWAYS,
    as: ['forever', 'frozen', 'missing', 'falling'],
    params: { progress: '37' },
  },
  F11: {
    title: '`error` filled while running',
    at: ['poll', 'stream'],
    times: ALWAYS,
    params: { text: 'upstream busy, retrying' },
  },
  F12: {
    title: 'succeeded with broken results',
    at: ['poll', 'stream'],
    times: ALWAYS,
    as: ['missing', 'null', 'empty', 'url-null', 'spaces', 'backticks', 'strings', 'data-url', 'b64_json', 'object', 'top-url'],
  },
  F13: { title: 'unknown status word', at: ['poll', 'stream'], times: ALWAYS, params: { word: 'reviewing', when: 'running' } },
  F14: { title: 'envelope added (current API) or dropped (legacy)', at: ['submit', 'poll'], everywhere: true, times: ALWAYS },
  F15: {
    title: 'task stream cut',
    at: ['stream'],
    times: 1,
    as: ['before', 'middle', 'progress', 'no-blank'],
  },
  F16: { title: 'task fails', at: ['submit'], times: 1, params: { text: TRANSIENT } },
  F17: { title: 'violation at input (quick) or at output (full time)', at: ['submit'], times: ALWAYS, as: ['input', 'output'] },
  F18: {
    title: 'result file broken',
    at: ['file'],
    times: 1,
    as: ['404', '403', '410', '500', '503', 'slow', 'truncated', 'type', 'html', 'empty', 'large', 'not-media', 'hang', 'stall'],
    params: { ms: '1000', bytes: '2147483648' },
  },
  F19: { title: 'webhook misbehaves', at: ['webhook'], times: ALWAYS, as: ['twice', 'disorder', 'never', 'early', 'stranger'] },
  F20: {
    title: 'model under maintenance or removed, or a refusal with any text',
    at: ['submit', 'chat'],
    times: ALWAYS,
    as: ['maintenance', 'removed', 'refused'],
    params: { text: 'Upstream service is temporarily unavailable. Please retry later.' },
  },
  F21: {
    title: 'chat misbehaves, or answers in an odd form',
    at: ['chat'],
    times: 1,
    as: ['empty', 'rix', 'charset', 'no-done', 'cut', 'failed', ...Object.keys(ODD_CHAT)],
  },
  F22: {
    title: 'slow first byte; work is done and charged at once',
    at: ['submit', 'chat', 'poll', 'file', 'side'],
    times: 1,
    params: { ms: '120000' },
  },
  F23: {
    title: 'content coding of the answers, asked for or not',
    at: ['submit', 'chat', 'poll', 'stream', 'file', 'side'],
    everywhere: true,
    times: ALWAYS,
    as: Object.keys(CODINGS),
  },
  F24: {
    title: 'a refusal in words of upstream, in the shape of the endpoint',
    at: ['submit', 'chat'],
    also: ['poll', 'file', 'side'],
    times: 1,
    as: Object.keys(TEXTS),
    params: { text: '', status: '400' },
  },
  F25: {
    title: 'fields that no page names, or fields of odd types, beside a whole answer',
    at: ['submit', 'chat', 'poll', 'stream'],
    everywhere: true,
    times: ALWAYS,
    as: ['extra', 'types'],
  },
} as const satisfies Readonly<Record<string, Row>>;

export type FaultId = keyof typeof FAULTS;

/** A fault that was asked for. */
export interface Fault {
  readonly id: FaultId;
  /** As it was written; what is counted. */
  readonly spec: string;
  /** Where it strikes; undefined leaves it to the table. */
  readonly at: Phase | undefined;
  readonly times: number;
  readonly params: Readonly<Record<string, string>>;
}

const rowOf = (id: FaultId): Row => FAULTS[id];

/** The phases that this fault strikes when `phase` is the request that carries it. */
export function phasesOf(fault: Fault, phase: Phase): readonly Phase[] {
  if (fault.at !== undefined) return [fault.at];
  const row = rowOf(fault.id);
  return row.at.includes(phase) && row.everywhere !== true ? [phase] : row.at;
}

/** Where a fault strikes first when nothing says otherwise. */
export const homeOf = (fault: Fault): Phase => fault.at ?? rowOf(fault.id).at[0] ?? 'submit';

/**
 * Reads `F9:as=html,times=2`. Besides the parameters of the table every fault knows `at` (phase) and `times` (a number or `all`);
 * values may be percent-encoded. Throws on whatever the table does not know: a test that misspells a fault must not pass.
 */
export function parseFault(spec: string): Fault {
  const [id = '', list = ''] = splitOnce(spec.trim(), ':');
  if (!Object.hasOwn(FAULTS, id)) throw new AskError(`unknown fault ${id || JSON.stringify(spec)}`);
  const row = rowOf(id as FaultId);
  const params: Record<string, string> = { ...row.params };
  if (row.as?.[0] !== undefined) params['as'] = row.as[0];
  let times = row.times;
  let at: Phase | undefined;
  for (const part of list.split(',').filter((text) => text !== '')) {
    const [name = '', raw = ''] = splitOnce(part, '=');
    const value = decodeURIComponent(raw);
    if (name === 'times') times = readTimes(spec, value);
    else if (name === 'at') at = readPhase(spec, row, value);
    else if (!Object.hasOwn(params, name)) throw new AskError(`fault ${spec}: ${id} has no parameter ${name}`);
    else if (name === 'as') params[name] = readForm(spec, row, value);
    else params[name] = name === 'text' ? textOf(value) : readParam(spec, name, row, value);
  }
  return { id: id as FaultId, spec, at, times, params };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function readForm(spec: string, row: Row, value: string): string {
  if (row.as?.includes(value) !== true) throw new AskError(`fault ${spec}: as is one of ${row.as?.join(', ')}`);
  return value;
}

/** A parameter whose default is a number takes numbers only. */
function readParam(spec: string, name: string, row: Row, value: string): string {
  const numeric = /^\d+$/;
  const words = row.words?.[name];
  if (words?.includes(value) === false) throw new AskError(`fault ${spec}: ${name} is one of ${words.join(', ')}`);
  if (numeric.test(row.params?.[name] ?? '') && !numeric.test(value))
    throw new AskError(`fault ${spec}: ${JSON.stringify(value)} is no number`);
  return value;
}

function readTimes(spec: string, value: string): number {
  const times = value === 'all' ? ALWAYS : Number(value);
  if (value === '' || !(times >= 0)) throw new AskError(`fault ${spec}: times is a number or all`);
  return times;
}

function readPhase(spec: string, row: Row, value: string): Phase {
  const phases = [...row.at, ...(row.also ?? [])];
  const phase = phases.find((known) => known === value);
  if (phase === undefined) throw new AskError(`fault ${spec}: at is one of ${phases.join(', ')}`);
  return phase;
}

/** The faults that strike one moment. */
export class Strikes {
  readonly #faults: ReadonlyMap<FaultId, Fault>;

  constructor(faults: readonly Fault[]) {
    this.#faults = new Map(faults.map((fault) => [fault.id, fault]));
  }

  /** These strikes and more; what was there already wins. */
  with(more: readonly Fault[]): Strikes {
    return more.length === 0 ? this : new Strikes([...more, ...this.#faults.values()]);
  }

  has(id: FaultId): boolean {
    return this.#faults.has(id);
  }

  /** The form the fault comes in; undefined when it does not strike. */
  as(id: FaultId): string | undefined {
    return this.text(id, 'as');
  }

  text(id: FaultId, param: string): string | undefined {
    return this.#faults.get(id)?.params[param];
  }

  /** 0 when the fault does not strike. */
  number(id: FaultId, param: string): number {
    return Number(this.text(id, param) ?? 0);
  }
}

export const NO_STRIKES = new Strikes([]);
