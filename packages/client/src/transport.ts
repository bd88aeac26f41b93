import { untilAborted } from './deadline.ts';
import { connectionError, errorOf, GrsaiJobsError, InvalidRequestError, retryAfterMs, TimeoutError } from './errors.ts';
import { isRepeatable } from './repeatable.ts';
import { type Patience, retryInMs } from './retry-policy.ts';

/** Requests to the service, sent again where that is safe and may help. */

/** What is outside of this client. */
export interface Host {
  fetch: typeof fetch;
  /** Rejects with the signal's reason. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 up to 1. */
  random(): number;
  /** Milliseconds. */
  now(): number;
}

type Body = NonNullable<RequestInit['body']>;

/** A body that can be sent more than once. */
export interface RepeatableBody {
  /** For the next try. */
  open(): Body | Promise<Body>;
  /** Why it could not be read to its end: then no try can succeed. */
  readonly failure: { error: unknown } | undefined;
}

/** A value is left out when it is undefined, a list is joined by commas. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

interface RequestOptions {
  signal: AbortSignal;
  query?: Query | undefined;
  json?: unknown;
  body?: RepeatableBody;
  headers?: Readonly<Record<string, string>>;
  /** Lets a POST be sent again when its answer was lost. */
  idempotencyKey?: string | undefined;
  /** By default that of the client. */
  patience?: Patience | undefined;
  /** Milliseconds for one try; by default those of the client. */
  tryMs?: number | undefined;
}

/** An answer whose body is read as it comes. */
export interface Stream {
  response: Response;
  /** Breaks it off. */
  abort(reason: unknown): void;
  /** To be called when it has been read. */
  close(): void;
}

/** All of it rejects with a {@link GrsaiJobsError}, or with the reason of the signal. */
export interface Transport {
  /** The body of an answer as JSON, undefined when it is empty; `retryAfterMs` is when the service wants to be asked again. */
  request<T>(method: string, path: string, options: RequestOptions): Promise<{ value: T; retryAfterMs: number | undefined }>;
  /** Resolves with the head of the answer; the time of a try does not run on. */
  stream(method: string, path: string, options: RequestOptions): Promise<Stream>;
  /** Waits between two requests; rejects with the signal's reason. */
  sleep: Host['sleep'];
  random: Host['random'];
}

export interface TransportSettings {
  /** Without a slash at its end. */
  baseUrl: string;
  apiKey: string;
  timeoutMs: number;
  maxRetries: number;
  /** Is told before each wait. */
  onRetry?: ((error: GrsaiJobsError, waitMs: number) => void) | undefined;
}

export function createTransport(settings: TransportSettings, host: Host): Transport {
  const again = async <T>(method: string, path: string, o: RequestOptions, once: () => Promise<T>): Promise<T> => {
    const patience = o.patience ?? { retries: settings.maxRetries };
    let downSince: number | undefined;
    for (let attempt = 1; ; attempt += 1) {
      o.signal.throwIfAborted();
      try {
        return await once();
      } catch (error) {
        o.signal.throwIfAborted();
        if (o.body?.failure !== undefined) throw o.body.failure.error;
        if (!(error instanceof GrsaiJobsError) || !mayRepeat(error, method, path, o)) throw error;
        downSince ??= host.now();
        const waitMs = retryInMs(error, { attempt, downMs: host.now() - downSince, patience, random: host.random });
        if (waitMs === undefined) throw error;
        settings.onRetry?.(error, waitMs);
        await host.sleep(waitMs, o.signal);
      }
    }
  };

  /** One try, until its head; a refusal is thrown. */
  const send = async (method: string, path: string, o: RequestOptions): Promise<Stream & { disarm(): void }> => {
    const url = settings.baseUrl + path + queryText(o.query);
    // What the caller still has to make is not the service's time.
    const body = o.json === undefined ? await untilAborted(opened(o.body), o.signal) : JSON.stringify(o.json);
    const { abort, close, disarm, signal } = tryClock(o.signal, o.tryMs ?? settings.timeoutMs, url);
    try {
      const headers = new Headers({ authorization: `Bearer ${settings.apiKey}`, accept: 'application/json', ...o.headers });
      if (o.idempotencyKey !== undefined) headers.set('idempotency-key', o.idempotencyKey);
      if (o.json !== undefined) headers.set('content-type', 'application/json');
      const response = await host.fetch(url, {
        method,
        headers,
        signal,
        // Elsewhere a POST would become a GET, and the key would go with it.
        redirect: 'manual',
        // Where a body is a stream it is asked for.
        ...(body === undefined ? {} : { body, duplex: 'half' }),
      } as RequestInit);
      if (!response.ok) throw await errorOf(response);
      return { response, abort, close, disarm };
    } catch (error) {
      close();
      throw failureOf(error, signal, url);
    }
  };

  return {
    sleep: host.sleep,
    random: host.random,
    request: async <T>(method: string, path: string, o: RequestOptions) =>
      await again(method, path, o, async () => {
        const { response, close } = await send(method, path, o);
        try {
          return { value: parse<T>(await response.text(), settings.baseUrl), retryAfterMs: retryAfterMs(response.headers) };
        } catch (error) {
          throw failureOf(error, o.signal, settings.baseUrl + path);
        } finally {
          close();
        }
      }),
    stream: async (method, path, o) =>
      await again(method, path, o, async () => {
        const stream = await send(method, path, o);
        stream.disarm();
        return stream;
      }),
  };
}

/** Of what is refused for its rate nothing was done. */
const mayRepeat = (error: GrsaiJobsError, method: string, path: string, o: RequestOptions): boolean =>
  error.status === 429 || isRepeatable(method, path, o);

const opened = async (body: RepeatableBody | undefined): Promise<Body | undefined> => await body?.open();

/** Ends one try: when the caller's signal fires, when its time is over, or by `abort`. */
function tryClock(outer: AbortSignal, ms: number, url: string) {
  const controller = new AbortController();
  const relay = () => controller.abort(outer.reason);
  outer.addEventListener('abort', relay, { once: true });
  const over = () =>
    controller.abort(new TimeoutError({ code: 'timeout', retryable: true, detail: `${url} did not answer in ${ms / 1000} s` }));
  const timer = setTimeout(over, ms);
  return {
    signal: controller.signal,
    abort: (reason: unknown) => controller.abort(reason),
    disarm: () => clearTimeout(timer),
    close: () => {
      clearTimeout(timer);
      outer.removeEventListener('abort', relay);
    },
  };
}

function failureOf(error: unknown, signal: AbortSignal, url: string): unknown {
  if (error instanceof GrsaiJobsError) return error;
  // Runtimes differ in what an aborted request rejects with.
  if (signal.aborted) return signal.reason;
  return connectionError(url, error);
}

function parse<T>(text: string, baseUrl: string): T {
  if (text === '') return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new InvalidRequestError({
      code: 'not_json',
      detail: `The answer is not JSON. Is ${baseUrl} the address of the API?`,
      cause,
    });
  }
}

function queryText(query: Query = {}): string {
  const fields = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) fields.append(name, String(value));
  const text = String(fields);
  return text === '' ? '' : `?${text}`;
}
