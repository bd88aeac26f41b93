import { CliError } from '../exit.ts';
import type { Host } from '../host.ts';
import { ApiProblem } from './problem.ts';
import { retryInMs, TRIES } from './retry-policy.ts';

/** Values of a query; those that are undefined are left out, lists are joined by commas. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface SendOptions {
  query?: Query | undefined;
  /** Sent as JSON. */
  json?: unknown;
  /** Made anew for each try. */
  body?: () => RequestInit['body'];
  headers?: Readonly<Record<string, string>>;
  /** Lets a POST be sent again after an answer that was lost. */
  idempotencyKey?: string | undefined;
  /** Limit of one try, until its headers are there, in ms; 0 is none. */
  timeoutMs?: number;
  /** How often it is sent at most (default 5). */
  tries?: number;
  /** Goes where the answer points to; without it a redirect is a refusal, as it would turn a POST into a GET. */
  redirected?: boolean;
  /** false when the body can be read only once (default true). */
  repeatable?: boolean;
  /** Ends the request beside Ctrl-C. */
  signal?: AbortSignal;
}

export interface Api {
  readonly url: string;
  /** The answer, when it is a success; a refusal is thrown as {@link ApiProblem}, a service away as {@link CliError}. */
  send(method: string, path: string, options?: SendOptions): Promise<Response>;
  get<T>(path: string, query?: Query): Promise<T>;
  post<T>(path: string, json?: unknown, options?: SendOptions): Promise<T>;
  patch<T>(path: string, json: unknown): Promise<T>;
  /** What a list holds, page by page, to its end or to `limit` things. */
  list<T>(path: string, query: Query, limit: number): AsyncGenerator<T>;
}

const TRY_MS = 30_000;
const PAGE = 100;
/** May be sent twice by the rules of HTTP. */
const SAFE = new Set(['GET', 'DELETE']);

/** The HTTP API of the service. `note` hears of each try that is made again. */
export function createApi(host: Host, o: { url: string; key: string; note: (line: string) => void }): Api {
  const send = async (method: string, path: string, options: SendOptions = {}): Promise<Response> => {
    const repeatable = options.repeatable !== false && (SAFE.has(method) || options.idempotencyKey !== undefined);
    for (let attempt = 1; ; attempt += 1) {
      host.interrupt.throwIfAborted();
      options.signal?.throwIfAborted();
      const outcome = await once(host, o, method, path, options);
      if (outcome.response?.ok) return outcome.response;
      const waitMs = repeatable
        ? retryInMs(outcome.response, { attempt, tries: options.tries ?? TRIES, random: host.random })
        : undefined;
      if (waitMs === undefined) throw await refusalOf(outcome, o.url);
      await outcome.response?.body?.cancel();
      o.note(`${o.url} ${whatWasSeen(outcome)}; again in ${(waitMs / 1000).toFixed(1)} s.`);
      await host.sleep(waitMs, anySignal(host.interrupt, options.signal));
    }
  };
  const json = async <T>(response: Response): Promise<T> => {
    const text = await response.text();
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw new CliError('unreachable', `${response.url} did not answer with JSON. Is ${o.url} the address of the API?`, {
        cause: error,
      });
    }
  };
  return {
    url: o.url,
    send,
    get: async <T>(path: string, query?: Query) => await json<T>(await send('GET', path, { query })),
    post: async <T>(path: string, body?: unknown, options: SendOptions = {}) =>
      await json<T>(await send('POST', path, { ...options, json: body })),
    patch: async <T>(path: string, body: unknown) => await json<T>(await send('PATCH', path, { json: body })),
    async *list<T>(path: string, query: Query, limit: number) {
      let left = limit;
      let cursor: string | undefined;
      do {
        const page = await json<{ data: T[]; next_cursor?: string | null }>(
          await send('GET', path, { query: { ...query, limit: Math.min(left, PAGE), cursor } }),
        );
        yield* page.data.slice(0, left);
        left -= page.data.length;
        cursor = page.next_cursor ?? undefined;
      } while (left > 0 && cursor !== undefined);
    },
  };
}

/** What came of one try: an answer, or the error of the connection. */
type Outcome = { response: Response; error?: undefined } | { response?: undefined; error: unknown };

const whatWasSeen = ({ response, error }: Outcome): string =>
  response === undefined ? `could not be reached (${reasonOf(error)})` : `answered ${response.status}`;

async function refusalOf({ response, error }: Outcome, url: string): Promise<Error> {
  if (response !== undefined) return await ApiProblem.from(response);
  return new CliError('unreachable', `${url} could not be reached: ${reasonOf(error)}`, { cause: error });
}

async function once(
  host: Host,
  o: { url: string; key: string },
  method: string,
  path: string,
  options: SendOptions,
): Promise<Outcome> {
  const headers = new Headers({ authorization: `Bearer ${o.key}`, accept: 'application/json', ...options.headers });
  if (options.idempotencyKey !== undefined) headers.set('idempotency-key', options.idempotencyKey);
  if (options.json !== undefined) headers.set('content-type', 'application/json');
  const body = options.json === undefined ? options.body?.() : JSON.stringify(options.json);
  // The clock stops with the headers: what streams may take its time.
  const clock = new AbortController();
  const timeoutMs = options.timeoutMs ?? TRY_MS;
  const timer =
    timeoutMs === 0 ? undefined : setTimeout(() => clock.abort(new Error(`no answer in ${timeoutMs / 1000} s`)), timeoutMs);
  try {
    const response = await host.fetch(o.url + path + queryText(options.query), {
      method,
      headers,
      signal: anySignal(host.interrupt, clock.signal, options.signal),
      redirect: options.redirected ? 'follow' : 'manual',
      // Node asks for it where a body is a stream.
      ...(body === undefined ? {} : { body, duplex: 'half' as const }),
    });
    return { response };
  } catch (error) {
    host.interrupt.throwIfAborted();
    options.signal?.throwIfAborted();
    return { error };
  } finally {
    clearTimeout(timer);
  }
}

const anySignal = (...signals: (AbortSignal | undefined)[]): AbortSignal =>
  AbortSignal.any(signals.filter((signal) => signal !== undefined));

function queryText(query: Query = {}): string {
  const fields = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) fields.append(name, String(value));
  return fields.size === 0 ? '' : `?${fields}`;
}

/** `fetch failed` says nothing; its cause does. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof AggregateError ? error.cause.errors[0] : error.cause;
  if (!(cause instanceof Error)) return error.message;
  return cause.message === '' ? ((cause as NodeJS.ErrnoException).code ?? error.message) : cause.message;
}
