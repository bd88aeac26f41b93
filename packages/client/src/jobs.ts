import { type CallOptions, within } from './deadline.ts';
import { JobFailedError } from './errors.ts';
import { newIdempotencyKey } from './idempotency-key.ts';
import { type EventsOptions, eventsOfJob } from './job-events.ts';
import { type StreamEvent, type StreamOptions, streamOfJob } from './job-stream.ts';
import { type WaitForJobOptions, waitForJob } from './job-wait.ts';
import { listOf, metadataQuery, type Pages } from './pages.ts';
import { pathOf } from './paths.ts';
import { ENDED } from './results.ts';
import type { Transport } from './transport.ts';
import type { Job, JobEvent, JobRequest } from './types.ts';

export interface CreateJobOptions extends CallOptions {
  /** 1–255 visible ASCII characters. The same key and request make one job, for 72 hours; a new key by default. */
  idempotencyKey?: string | undefined;
  /** Seconds (at most 60) that the service waits for the end of the job before it answers; the job may still be live then. */
  waitS?: number | undefined;
}

export interface JobFilter {
  status?: Job['status'] | readonly Job['status'][] | undefined;
  stage?: NonNullable<Job['stage']> | readonly NonNullable<Job['stage']>[] | undefined;
  type?: Job['type'] | undefined;
  model?: string | undefined;
  batch_id?: string | undefined;
  error_code?: string | readonly string[] | undefined;
  /** RFC 3339, the end is open. */
  created_after?: string | undefined;
  created_before?: string | undefined;
  metadata?: Readonly<Record<string, string>> | undefined;
  /** Jobs in a page, 1–100 (default 100). */
  limit?: number | undefined;
  /** `next_cursor` of the page before. */
  cursor?: string | undefined;
}

export interface RetryJobOptions extends CallOptions {
  /** `resume` never submits again; `resubmit` does, and pays again. */
  mode?: 'resume' | 'resubmit' | undefined;
  /** The run that is meant: where a later one has begun nothing is done. By default the one that the job is in, which is asked for first. */
  run?: number | undefined;
}

export interface Jobs {
  /** Sends a job. It is taken when this resolves; sent again by itself under one Idempotency-Key where an answer was lost. */
  create(request: JobRequest, options?: CreateJobOptions): Promise<Job>;
  get(id: string, options?: CallOptions): Promise<Job>;
  /** The newest first. */
  list(filter?: JobFilter, options?: CallOptions): Pages<Job>;
  /**
   * Sends a job and waits for its end, over restarts of the service. Rejects with {@link JobFailedError} when it failed, expired
   * or was canceled. A process that dies in between goes on by the same call with the same `idempotencyKey`.
   */
  run(request: JobRequest, options?: WaitForJobOptions & Pick<CreateJobOptions, 'idempotencyKey'>): Promise<Job>;
  /** Waits for the end of a job by its events, or by asking where these do not come through; resolves however it ended. */
  wait(id: string, options?: WaitForJobOptions): Promise<Job>;
  /** Resolves with the job as `canceled`, or as `canceling` while a call is in flight. */
  cancel(id: string, options?: CallOptions): Promise<Job>;
  /** Runs a job again that failed, expired or was canceled: once, however often its answer is lost. */
  retry(id: string, options?: RetryJobOptions): Promise<Job>;
  /** Erases an ended job with all that is stored of it. */
  delete(id: string, options?: CallOptions): Promise<void>;
  /** What happens to a job, each event once, until its end; goes on where it was cut. `after` is the `seq` of one that is known. */
  events(id: string, options?: EventsOptions): AsyncGenerator<JobEvent, void, undefined>;
  /**
   * The answer of a chat while it comes in, each piece once, until the job ends; goes on where it was cut, also by another process of the
   * service. `input.stream: true` has pieces come while the job runs; else the answer comes as one. `after` is the `id` of an event that is known.
   */
  stream(id: string, options?: StreamOptions): AsyncGenerator<StreamEvent, void, undefined>;
}

/** @param timeoutMs of one try */
export function createJobs(transport: Transport, { timeoutMs }: { timeoutMs: number }): Jobs {
  const create: Jobs['create'] = async (request, { idempotencyKey, waitS, ...call } = {}) =>
    await within(call, async (signal) => {
      const { value } = await transport.request<Job>('POST', '/v1/jobs', {
        signal,
        json: request,
        idempotencyKey: newIdempotencyKey(idempotencyKey),
        ...(waitS === undefined ? {} : { headers: { prefer: `wait=${waitS}` }, tryMs: timeoutMs + waitS * 1000 }),
      });
      return value;
    });

  const wait: Jobs['wait'] = async (id, options = {}) => await waitForJob(transport, id, options);

  return {
    create,
    wait,
    get: async (id, call = {}) =>
      await within(call, async (signal) => (await transport.request<Job>('GET', pathOf('jobs', id), { signal })).value),
    list: ({ metadata, ...filter } = {}, call = {}) =>
      listOf<Job>(transport, '/v1/jobs', { ...filter, ...metadataQuery(metadata) }, call),
    run: async (request, { idempotencyKey, onProgress, outageMs, ...call } = {}) =>
      await within(call, async (signal) => {
        const taken = await create(request, { signal, idempotencyKey });
        const job = ENDED.has(taken.status) ? taken : await wait(taken.id, { signal, onProgress, outageMs });
        if (job.status !== 'succeeded') throw new JobFailedError(job);
        return job;
      }),
    cancel: async (id, call = {}) =>
      await within(
        call,
        async (signal) => (await transport.request<Job>('POST', `${pathOf('jobs', id)}/cancel`, { signal })).value,
      ),
    retry: async (id, { mode, run, ...call } = {}) =>
      await within(call, async (signal) => {
        const meant = run ?? (await transport.request<Job>('GET', pathOf('jobs', id), { signal })).value.run;
        const json = { ...(mode === undefined ? {} : { mode }), run: meant };
        return (await transport.request<Job>('POST', `${pathOf('jobs', id)}/retry`, { signal, json })).value;
      }),
    delete: async (id, call = {}) =>
      await within(call, async (signal) => {
        await transport.request('DELETE', pathOf('jobs', id), { signal });
      }),
    events: (id, options = {}) => eventsOfJob(transport, id, options),
    stream: (id, options = {}) => streamOfJob(transport, id, options),
  };
}
