import type { RedisHandle } from '@grsai-jobs/testkit';
import type { BullQuestion } from '../peers/bullmq.ts';
import type { GraphileQuestion } from '../peers/graphile.ts';
import type { PeerBucket, PeerJob } from '../peers/job.ts';
import type { LoadQuestion } from '../stand-ins/load.ts';
import { type Child, startAsked } from './children.ts';
import { startOurApi, startReadyWorker } from './ours.ts';
import { NO_POSTGRES, postgresBinaries, startPostgres } from './postgres.ts';
import { startOwnRedis } from './redis.ts';

/** A job as all sides take it. */
export type BenchJob = Omit<PeerJob, 'id'>;

/** What jobs are run against. */
export interface Surroundings {
  readonly upstream: string;
  /** Where images are put, and the same as variables; chats need neither. */
  readonly s3?: PeerBucket;
  readonly s3Env?: Readonly<Record<string, string>>;
  /** Images that may be in flight. */
  readonly images?: number;
  readonly profileDir?: string | undefined;
}

/** One side of a comparison of whole jobs, with a store of its own that is new. */
export interface Contender {
  readonly store: { readonly pid: number };
  /** `whsec_…`, by which its webhooks are signed. */
  readonly secret: string;
  /** Keeps the jobs and queues them, each by itself, as callers would. */
  add(jobs: readonly BenchJob[]): Promise<void>;
  /** Begins at once with what is queued. */
  startWorker(): Promise<Child>;
  /** Jobs by what their records say. */
  statuses(): Promise<Readonly<Record<string, number>>>;
  /** What an operator can do for the jobs that a killed worker had in hand; to be asked for before another one starts. */
  heirless?(): Promise<() => Promise<void>>;
}

/** All that it started ends with the stack. */
export type StartContender = (stack: AsyncDisposableStack, around: Surroundings) => Promise<Contender>;

const PEER_SECRET = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX';
const CONNECTIONS = 32;

/** Either store may lose its last moments when the machine dies, and keeps all else: asynchronous commit there, a file that is synced each second here. */
const startStore = (stack: AsyncDisposableStack): Promise<RedisHandle> =>
  startOwnRedis('everysec').then((redis) => stack.use(redis));

const withoutId = ({ type, input, metadata, webhookUrl }: BenchJob) => ({ type, input, metadata, webhook: { url: webhookUrl } });

const ours: StartContender = async (stack, { upstream: upstreamUrl, s3Env = {}, images = 0, profileDir }) => {
  const redis = await startStore(stack);
  const load = startAsked<LoadQuestion>(new URL('../stand-ins/load.ts', import.meta.url));
  stack.defer(() => load.stop());
  const api = await startOurApi(redis, { env: s3Env });
  stack.defer(() => api.stop());
  const { url, headers } = api;
  const reader = await api.headersOf('bench');
  const read = async <T>(path: string): Promise<T> => (await (await fetch(url + path, { headers: reader })).json()) as T;
  const { secret } = await read<{ secret: string }>('/v1/webhook-secret');
  return {
    store: redis,
    secret,
    add: async (jobs) => {
      const body = jobs.map((job) => JSON.stringify(withoutId(job)));
      await load.ask({ url, headers, path: '/v1/jobs', body, connections: CONNECTIONS, count: jobs.length });
    },
    startWorker: async () => {
      const env = { ...s3Env, ...(images === 0 ? {} : { GRSAI_MAX_IN_FLIGHT: String(2 * images) }) };
      const worker = await startReadyWorker(redis, { upstreamUrl, profileDir, env });
      stack.defer(() => worker.stop());
      return worker;
    },
    statuses: async () => {
      const counts: Record<string, number> = {};
      for (let cursor: string | null = ''; cursor !== null; ) {
        type Page = { data: { status: string }[]; next_cursor: string | null };
        const page: Page = await read(`/v1/jobs?limit=100${cursor && `&cursor=${cursor}`}`);
        for (const { status } of page.data) counts[status] = (counts[status] ?? 0) + 1;
        cursor = page.next_cursor;
      }
      return counts;
    },
  };
};

/** Ids that sort by time, as ours do. */
function named(): (job: BenchJob) => PeerJob {
  let last = 0;
  return (job) => ({ ...job, id: `job_${String(++last).padStart(26, '0')}` });
}

const bullmq: StartContender = async (stack, { upstream, s3, images = 1 }) => {
  const redis = await startStore(stack);
  const begin = async () => {
    const child = startAsked<BullQuestion>(new URL('../peers/bullmq.ts', import.meta.url));
    stack.defer(() => child.stop());
    await child.ask({ ask: 'connect', url: redis.url });
    return child;
  };
  const intake = await begin();
  const name = named();
  return {
    store: redis,
    secret: PEER_SECRET,
    add: (jobs) => intake.ask({ ask: 'add', jobs: jobs.map(name) }),
    startWorker: async () => {
      const worker = await begin();
      await worker.ask({ ask: 'work', world: { upstream, s3, secret: PEER_SECRET }, images });
      return worker;
    },
    statuses: () => intake.ask({ ask: 'statuses' }),
  };
};

const graphile: StartContender = async (stack, { upstream, s3 }) => {
  const postgres = stack.use(await startPostgres());
  const begin = async () => {
    const child = startAsked<GraphileQuestion>(new URL('../peers/graphile.ts', import.meta.url));
    stack.defer(() => child.stop());
    await child.ask({ ask: 'connect', url: postgres.url });
    return child;
  };
  const intake = await begin();
  const name = named();
  return {
    store: postgres,
    secret: PEER_SECRET,
    add: (jobs) => intake.ask({ ask: 'add', jobs: jobs.map(name) }),
    startWorker: async () => {
      const worker = await begin();
      await worker.ask({ ask: 'work', world: { upstream, s3, secret: PEER_SECRET } });
      return worker;
    },
    statuses: () => intake.ask({ ask: 'statuses' }),
    heirless: async () => {
      const holders = await intake.ask<string[]>({ ask: 'holders' });
      return async () => await intake.ask({ ask: 'unlock', holders });
    },
  };
};

export type PeerName = 'BullMQ' | 'graphile-worker';

/** Us first; then the peers that can run here. */
export const contenders = (): ReadonlyMap<'ours' | PeerName, StartContender> =>
  new Map<'ours' | PeerName, StartContender>([
    ['ours', ours],
    ['BullMQ', bullmq],
    ...(postgresBinaries() === undefined ? [] : [['graphile-worker', graphile] as const]),
  ]);

/** Why a peer is missing; nothing when it is there. */
export const missing = (name: PeerName): string | undefined => (contenders().has(name) ? undefined : NO_POSTGRES);
