import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import type { Books } from './books.ts';
import { TENANTS, type Tenant, type World } from './world.ts';

interface Answered {
  readonly status: number;
  readonly text: string;
  /** `x-grsai-job-id` of `/openai/v1`. */
  readonly job: string | undefined;
}

/** One request of a caller, and all that it does about it. */
interface Caller {
  readonly n: number;
  readonly tenant: Tenant;
  readonly books: Books;
  readonly hook: { readonly url: string };
  send(kind: string, method: 'GET' | 'POST' | 'DELETE', path: string, body?: object, headers?: object): Promise<Answered>;
  chance(p: number): boolean;
}

interface Kind {
  readonly name: string;
  /** Of all together. */
  readonly weight: number;
  /** Its end is told by a webhook, and nobody waits for it. */
  readonly queued?: true;
  run(caller: Caller): Promise<void>;
}

const TERMINAL = /"status":"(succeeded|failed|canceled|expired|completed)"/;
/** What a budget never pays for expires, so that as many come as go well within an hour. */
const EXPIRES_IN_S = 300;

const messages = (text: string) => [{ role: 'user', content: text }];
const chatInput = (c: Caller, more: object = {}) => {
  const size = c.chance(0.02) ? ' [[reply-bytes=40000]]' : '';
  return { model: 'gemini-3.1-pro', messages: messages(`soak chat ${c.n}.${size}`), ...more };
};
const imageInput = (c: Caller) => ({ model: 'nano-banana-2', prompt: `soak image ${c.n}.`, aspect_ratio: '4:3' });
const idOf = (text: string): string | undefined => /"id":"((?:job|batch)_[0-9A-Z]+)"/.exec(text)?.[1];

async function post(
  c: Caller,
  kind: string,
  body: object,
  more: { hook: boolean; jobs?: number; path?: string; headers?: object },
) {
  const headers = c.chance(0.03) ? { 'idempotency-key': `soak-${c.n}`, ...more.headers } : more.headers;
  const answer = await c.send(kind, 'POST', more.path ?? '/v1/jobs', body, headers);
  const id = answer.status === 202 || answer.status === 200 ? idOf(answer.text) : undefined;
  if (id === undefined) return { answer, id };
  if (headers !== more.headers) c.books.lasting += 1;
  c.books.accept({ id, tenant: c.tenant, hook: more.hook, jobs: more.jobs ?? 1 });
  return { answer, id };
}

/** What callers do with a job that is on its way, or has ended. */
async function meddle(c: Caller, id: string | undefined): Promise<void> {
  if (id === undefined) return;
  if (c.chance(0.05)) {
    await sleep(3000 * Math.random());
    await c.send('cancel', 'POST', `/v1/jobs/${id}/cancel`);
  }
  if (c.chance(0.03)) await c.send('events', 'GET', `/v1/jobs/${id}/events`, undefined, { accept: 'text/event-stream' });
  if (c.chance(0.04)) {
    for (let n = 0; n < 60 && c.books.isOpen(id); n += 1) await sleep(1000);
    const { status } = await c.send('delete', 'DELETE', `/v1/jobs/${id}`);
    if (status === 204) c.books.lasting += 1;
  }
}

/** A chat of `/openai/v1`; what its stream did not tell the end of is asked for. */
async function openai(c: Caller, kind: string, stream: boolean): Promise<void> {
  const body = { ...chatInput(c), ...(stream ? { stream } : {}) };
  const { status, text, job } = await c.send(kind, 'POST', '/openai/v1/chat/completions', body);
  if (job === undefined) return;
  c.books.accept({ id: job, tenant: c.tenant, hook: false, jobs: 1 });
  if (status === 200 && (!stream || text.includes('[DONE]'))) c.books.end(job);
}

const queued = { expires_in_s: EXPIRES_IN_S };

const KINDS: readonly Kind[] = [
  {
    name: 'chat',
    weight: 30,
    queued: true,
    run: async (c) => {
      const { id } = await post(c, 'chat', { type: 'chat', input: chatInput(c), webhook: c.hook, ...queued }, { hook: true });
      await meddle(c, id);
    },
  },
  {
    name: 'chat that is waited for',
    weight: 15,
    run: async (c) => {
      const body = { type: 'chat', input: chatInput(c), ...queued };
      const { answer, id } = await post(c, 'wait', body, { hook: false, headers: { prefer: 'wait=30' } });
      if (id !== undefined && answer.status === 200) c.books.end(id);
    },
  },
  {
    name: 'chat whose stream is read',
    weight: 5,
    run: async (c) => {
      const { id } = await post(c, 'chat', { type: 'chat', input: chatInput(c, { stream: true }), ...queued }, { hook: false });
      if (id === undefined) return;
      const { text } = await c.send('stream', 'GET', `/v1/jobs/${id}/stream`);
      if (text.includes('event: end')) c.books.end(id);
    },
  },
  { name: 'openai', weight: 12, run: (c) => openai(c, 'openai', false) },
  { name: 'openai stream', weight: 15, run: (c) => openai(c, 'openai stream', true) },
  {
    name: 'image',
    weight: 20,
    queued: true,
    run: async (c) => {
      const body = { type: 'image', input: imageInput(c), webhook: c.hook, ...queued };
      const { id } = await post(c, 'image', body, { hook: true });
      for (let n = 0; c.n % 5 === 0 && id !== undefined && n < 30; n += 1) {
        await sleep(2000);
        const { text } = await c.send('read', 'GET', `/v1/jobs/${id}`);
        if (TERMINAL.test(text) || text === '') break;
      }
      await meddle(c, id);
    },
  },
  {
    name: 'batch',
    weight: 2,
    queued: true,
    run: async (c) => {
      const items = Array.from({ length: 10 }, (_, i) => ({
        custom_id: `${c.n}-${i}`,
        ...(i < 8
          ? { type: 'chat', input: { ...chatInput(c), messages: messages(`soak batch ${c.n}, line ${i}`) } }
          : { type: 'image', input: { ...imageInput(c), prompt: `soak batch ${c.n}, line ${i}` } }),
      }));
      const { id } = await post(
        c,
        'batch',
        { webhook: c.hook, defaults: queued, items },
        { hook: true, jobs: 10, path: '/v1/batches' },
      );
      if (id !== undefined && c.chance(0.1)) await c.send('batch cancel', 'POST', `/v1/batches/${id}/cancel`);
    },
  },
  {
    name: 'lists',
    weight: 1,
    run: async (c) => {
      for (const path of ['/v1/jobs', '/v1/batches', '/v1/webhook-deliveries', '/v1/usage', '/v1/models'])
        await c.send('list', 'GET', path);
    },
  },
];
const DRAWN: readonly Kind[] = KINDS.flatMap((kind) => Array.from({ length: kind.weight }, () => kind));
const drawKind = (): Kind => DRAWN[Math.floor(Math.random() * DRAWN.length)] as Kind;

/** Answers that a limit, a fault of Redis or S3, or the state of the job explains. */
const EXPECTED = new Set([0, 200, 201, 202, 204, 402, 404, 409, 429, 503]);

export interface Load {
  /** As many requests as callers make who send the next one when the last is answered, for so long; answers how many in a second. */
  measure(seconds: number): Promise<number>;
  /** So many in a second until the signal, whether or not earlier ones are answered. */
  run(perSecond: number, signal: AbortSignal): Promise<void>;
  /** Asks for those whose end nobody tells. */
  askForEnds(olderThanMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Tenants whose jobs may wait for a limit or a budget for longer than a caller does. */
const HELD_BACK: ReadonlySet<Tenant> = new Set(['soak-2', 'soak-4']);

const CALLERS = 200;
/** What is queued may not pile up while the most is measured. */
const MOST_LIVE = 800;
/** Streams of events and waits hold a connection each. */
const CONNECTIONS = 600;
const REQUEST_LIMIT_MS = 90_000;

export function createLoad(world: World, books: Books): Load {
  const pool = new Pool(world.api.url, { connections: CONNECTIONS, pipelining: 1, headersTimeout: REQUEST_LIMIT_MS });
  let n = 0;
  const open = new Set<Promise<void>>();

  const sender =
    (tenant: Tenant): Caller['send'] =>
    async (kind, method, path, body, headers) => {
      try {
        const response = await pool.request({
          ...{ method, path, signal: AbortSignal.timeout(REQUEST_LIMIT_MS) },
          headers: { ...world.headers[tenant], ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
          ...(body ? { body: JSON.stringify(body) } : {}),
        });
        const text = await response.body.text();
        const job = response.headers['x-grsai-job-id'];
        const { statusCode: status } = response;
        books.answer(kind, status);
        const isOpenai = path.startsWith('/openai/');
        if (!EXPECTED.has(status) && !isOpenai) books.strange(`${tenant} ${method} ${path}: ${status} ${text.slice(0, 300)}`);
        return { status, text, job: typeof job === 'string' ? job : undefined };
      } catch (error) {
        books.answer(kind, 0);
        const why = error instanceof Error ? error.message : String(error);
        if (!(HELD_BACK.has(tenant) && /timeout/i.test(why))) books.strange(`${tenant} ${method} ${path}: ${why}`);
        return { status: 0, text: '', job: undefined };
      }
    };

  const begin = (): { kind: Kind; done: Promise<void> } => {
    const kind = drawKind();
    n += 1;
    const tenant = TENANTS[n % TENANTS.length] ?? 'soak-1';
    const hook = { url: `${world.receiver.url}/${tenant}` };
    const caller: Caller = { n, tenant, books, hook, send: sender(tenant), chance: (p) => Math.random() < p };
    const done = kind.run(caller).catch((error: unknown) => books.strange(`${kind.name}: ${error}`));
    open.add(done);
    void done.then(() => open.delete(done));
    return { kind, done };
  };

  return {
    measure: async (seconds) => {
      const until = performance.now() + seconds * 1000;
      let begun = 0;
      const caller = async (): Promise<void> => {
        while (performance.now() < until) {
          const { kind, done } = begin();
          if (kind.queued === undefined) await done;
          else while (books.live > MOST_LIVE && performance.now() < until) await sleep(20);
          begun += 1;
        }
      };
      await Promise.all(Array.from({ length: CALLERS }, caller));
      return begun / seconds;
    },
    run: async (perSecond, signal) => {
      const began = performance.now();
      for (let sent = 0; !signal.aborted; sent += 1) {
        await sleep(Math.max(0, began + (1000 * sent) / perSecond - performance.now()));
        begin();
      }
      await Promise.all(open);
    },
    askForEnds: async (olderThanMs) => {
      const before = Date.now() - olderThanMs;
      const old = books.open.filter(({ since, hook }) => !hook && since < before);
      for (const { id, tenant } of old) {
        const { status, text } = await sender(tenant as Tenant)('ask', 'GET', `/v1/jobs/${id}`);
        // What is erased had ended.
        if (status === 404 || status === 410 || (status === 200 && TERMINAL.test(text))) books.end(id);
      }
    },
    close: () => pool.destroy(),
  };
}
