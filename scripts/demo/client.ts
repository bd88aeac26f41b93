import type { DemoJob } from './work.ts';

/** The part of a job that the demo reads. */
export interface Job {
  readonly id: string;
  readonly status: 'queued' | 'running' | 'succeeded' | 'failed' | 'canceling' | 'canceled' | 'expired';
  readonly stage: 'submitting' | 'generating' | 'storing' | null;
  readonly result: { readonly images?: readonly Image[]; readonly choices?: readonly Choice[] } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly created_at: string;
  readonly finished_at: string | null;
}

/** One stored image with its signed link. */
export interface Image {
  readonly index: number;
  readonly url: string;
  readonly content_type: string;
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
  readonly sha256: string;
}

interface Choice {
  readonly message?: { readonly content?: string | null };
}

/** The calls of a tenant. Each throws with the API's own words when it refuses. */
export interface Client {
  submit(job: DemoJob, webhookUrl: string): Promise<Job>;
  job(id: string): Promise<Job>;
  webhookSecret(): Promise<string>;
}

export const isOver = (job: Job): boolean => ['succeeded', 'failed', 'canceled', 'expired'].includes(job.status);

/** A client of the API at `base` with a tenant's key. */
export function createClient(base: string, key: string): Client {
  async function call<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await fetch(base + path, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }
  return {
    submit: (job, url) => call('POST', '/v1/jobs', { type: job.type, input: inputOf(job), webhook: { url } }),
    job: (id) => call('GET', `/v1/jobs/${id}`),
    webhookSecret: async () => (await call<{ secret: string }>('GET', '/v1/webhook-secret')).secret,
  };
}

function inputOf({ type, model, prompt, ratio }: DemoJob): object {
  if (type === 'chat') return { model, messages: [{ role: 'user', content: prompt }] };
  return { model, prompt, aspect_ratio: ratio };
}
