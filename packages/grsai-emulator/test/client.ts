import { type Agent, request } from 'node:http';
import { onTestFinished } from 'vitest';
import { type Emulator, type EmulatorOptions, startEmulator, VirtualClock } from '../src/index.ts';

export const KEY = 'sk-0123456789abcdef0123456789abcdef';

/** What came back, as the socket saw it. */
export interface Reply {
  /** 0 when no status line came. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly bytes: Buffer;
  /** Pieces as they arrived. */
  readonly pieces: readonly Buffer[];
  /** How it ended: whole, cut in the middle, or never begun. */
  readonly end: 'whole' | 'cut' | 'none';
  /** Error code of the socket, as ECONNRESET. */
  readonly code: string;
}

export interface Ask {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** A connection of its own unless given. */
  readonly agent?: Agent;
}

/** One HTTP exchange; never rejects, a broken answer is an answer here. */
export function ask(url: string, { method, body, headers, signal, agent }: Ask = {}): Promise<Reply> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let head: Pick<Reply, 'status' | 'headers'> = { status: 0, headers: {} };
    const finish = (end: Reply['end'], code = ''): void => {
      const bytes = Buffer.concat(pieces);
      resolve({ ...head, pieces, bytes, text: bytes.toString('utf8'), end, code });
    };
    const sent = request(url, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      agent: agent ?? false,
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
      ...(signal === undefined ? {} : { signal }),
    });
    sent.on('response', (response) => {
      head = { status: response.statusCode ?? 0, headers: response.headers };
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => finish('whole'));
      response.on('error', (error: NodeJS.ErrnoException) => finish('cut', error.code));
    });
    sent.on('error', (error: NodeJS.ErrnoException) => finish('none', error.code));
    sent.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
}

export interface TestEmulator {
  readonly emulator: Emulator;
  readonly post: (path: string, body: unknown, headers?: Readonly<Record<string, string>>) => Promise<Reply>;
  readonly get: (path: string, headers?: Readonly<Record<string, string>>) => Promise<Reply>;
  /** An async submit, answered with the id of its task. */
  readonly submit: (prompt?: string, headers?: Readonly<Record<string, string>>, fields?: object) => Promise<string>;
  readonly pollTask: (id: string, headers?: Readonly<Record<string, string>>) => Promise<Reply>;
  /** The task object, once the task has run its time on the virtual clock. */
  readonly finished: (prompt?: string) => Promise<Task>;
}

/** The parts of a task object that tests read. */
export interface Task {
  readonly id: string;
  readonly status: string;
  readonly progress?: number;
  readonly error?: string;
  readonly results?: readonly { readonly url: string; readonly content?: string }[] | null;
}

export const TASK_MS = 10_000;
export const CHAT_MS = 1000;

/** An emulator whose time stands still, closed when the test ends. */
export async function start(options: EmulatorOptions = {}): Promise<TestEmulator> {
  const emulator = await startEmulator({ seed: 7, clock: new VirtualClock(), taskMs: TASK_MS, chatMs: CHAT_MS, ...options });
  onTestFinished(() => emulator.close());
  const post: TestEmulator['post'] = (path, body, headers = {}) => ask(emulator.url + path, { body, headers });
  const get: TestEmulator['get'] = (path, headers = {}) => ask(emulator.url + path, { headers });
  const submit: TestEmulator['submit'] = async (prompt = 'a paper lighthouse', headers = {}, fields = {}) =>
    json<Task>(await post('/v1/api/generate', { model: 'nano-banana-2', prompt, replyType: 'async', ...fields }, headers)).id;
  const pollTask: TestEmulator['pollTask'] = (id, headers = {}) => get(`/v1/api/result?id=${encodeURIComponent(id)}`, headers);
  const finished = async (prompt?: string): Promise<Task> => {
    const id = await submit(prompt);
    await emulator.advance(TASK_MS);
    return json<Task>(await pollTask(id));
  };
  return { emulator, post, get, submit, pollTask, finished };
}

/** Sends `call`, lets it reach the emulator, and moves time on by `ms`. */
export async function during(emulator: Emulator, call: Promise<Reply>, ms: number): Promise<Reply> {
  const before = emulator.ledger.submits.length;
  await emulator.waitFor(() => emulator.ledger.submits.length > before);
  let over = false;
  const watched = call.finally(() => {
    over = true;
  });
  // A held answer writes between its waits, so time moves in steps and each write gets its turn.
  for (let moved = 0; moved < ms && !over; moved += ms / 20) await emulator.advance(ms / 20);
  return watched;
}

export const json = <T = Readonly<Record<string, unknown>>>(reply: Reply): T => JSON.parse(reply.text) as T;

/** The events of an SSE body, each without its `data: `. */
export const events = (text: string): string[] =>
  text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => event.replace(/^data: /, ''));

/** The name of a result file. */
export const nameOf = (url: string): string => url.slice(url.lastIndexOf('/') + 1);
