import { type Batches, createBatches } from './batches.ts';
import { type CallOptions, pause, within } from './deadline.ts';
import { AuthenticationError, type GrsaiJobsError, InvalidRequestError } from './errors.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { listOf, type Pages } from './pages.ts';
import { pathOf } from './paths.ts';
import { createTransport, type Host, type Query, type Transport } from './transport.ts';
import type { Model } from './types.ts';
import { createWebhooks, type Webhooks } from './webhooks/calls.ts';

export interface GrsaiJobsOptions {
  /** The address of the service; by default `GRSAI_JOBS_API` of the environment. */
  baseUrl?: string | undefined;
  /** `gj_…`; by default `GRSAI_JOBS_KEY` of the environment. */
  apiKey?: string | undefined;
  /** Milliseconds for one try of a request (default 30 000). The `timeoutMs` of a call is for the whole call. */
  timeoutMs?: number | undefined;
  /** How often a request that may be repeated is sent again (default 5, some 15 s). */
  maxRetries?: number | undefined;
  /** By default that of the runtime. */
  fetch?: typeof fetch | undefined;
  /** Is told of each request that is about to be sent again, with why and after how many milliseconds. */
  onRetry?: ((error: GrsaiJobsError, waitMs: number) => void) | undefined;
}

/** What is outside of a client beside `fetch`: tests hand in others. */
export type Outside = Omit<Host, 'fetch'>;

export interface RequestOptions extends CallOptions {
  /** A value is left out when it is undefined, a list is joined by commas. */
  query?: Query | undefined;
  /** The body. */
  json?: unknown;
  /** Where the route takes one: lets a POST be sent again when its answer was lost. */
  idempotencyKey?: string | undefined;
  /** Milliseconds for which the service may be away without a break; by default `maxRetries` decides. */
  outageMs?: number | undefined;
}

export interface Models {
  list(options?: CallOptions): Pages<Model>;
  get(id: string, options?: CallOptions): Promise<Model>;
}

/** A client of grsai-jobs for one tenant. It keeps no connection and no state of its own. */
export class GrsaiJobs {
  readonly jobs: Jobs;
  readonly batches: Batches;
  readonly models: Models;
  readonly webhooks: Webhooks;
  /** What it sends requests with. */
  readonly fetch: typeof fetch;
  readonly #transport: Transport;

  constructor(options: GrsaiJobsOptions = {}, outside: Partial<Outside> = {}) {
    const env = environment();
    const baseUrl = addressOf(options.baseUrl ?? env['GRSAI_JOBS_API']);
    const apiKey = keyOf(options.apiKey ?? env['GRSAI_JOBS_KEY']);
    const timeoutMs = options.timeoutMs ?? 30_000;
    const maxRetries = options.maxRetries ?? 5;
    // Some runtimes refuse a fetch that is called as the method of something else.
    const given = options.fetch ?? globalThis.fetch;
    this.fetch = (input, init) => given(input, init);
    const host = { fetch: this.fetch, sleep: pause, random: Math.random, now: () => performance.now(), ...outside };
    const transport = createTransport({ baseUrl, apiKey, timeoutMs, maxRetries, onRetry: options.onRetry }, host);
    this.#transport = transport;
    this.jobs = createJobs(transport, { timeoutMs });
    this.batches = createBatches(transport);
    this.models = {
      list: (call = {}) => listOf<Model>(transport, '/v1/models', { limit: undefined }, call),
      get: async (id, call = {}) =>
        await within(call, async (signal) => (await transport.request<Model>('GET', pathOf('models', id), { signal })).value),
    };
    this.webhooks = createWebhooks(transport);
  }

  /** Asks a route that has no call here, those of operators among them; resolves with the JSON of the answer. */
  async request<T>(method: string, path: string, { query, json, idempotencyKey, outageMs, ...call }: RequestOptions = {}) {
    const patience = outageMs === undefined ? undefined : { outageMs };
    return await within(call, async (signal) => {
      const { value } = await this.#transport.request<T>(method, path, { signal, query, json, idempotencyKey, patience });
      return value;
    });
  }

  /** The same for a route that answers a list with `data` and `next_cursor`. */
  list<T>(path: string, query: Query = {}, options: CallOptions = {}): Pages<T> {
    return listOf<T>(this.#transport, path, query, options);
  }
}

/** Of Node, Bun, Deno; nothing elsewhere. */
function environment(): Readonly<Record<string, string | undefined>> {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env ?? {};
}

function addressOf(text: string | undefined): string {
  const detail = (what: string) => `${what}: give new GrsaiJobs({ baseUrl: 'https://…' }), or set GRSAI_JOBS_API.`;
  if (!text) throw new InvalidRequestError({ code: 'no_base_url', detail: detail('The address of the service is not known') });
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new InvalidRequestError({ code: 'bad_base_url', detail: detail(`${JSON.stringify(text)} is not an http(s) address`) });
  return text.replace(/\/+$/, '');
}

function keyOf(text: string | undefined): string {
  if (text && /^[\x21-\x7e]+$/.test(text)) return text;
  throw new AuthenticationError({
    code: text ? 'bad_api_key' : 'no_api_key',
    detail: `${text ? 'The API key has characters that no key has' : 'There is no API key'}: give new GrsaiJobs({ apiKey: 'gj_…' }), or set GRSAI_JOBS_KEY.`,
  });
}
