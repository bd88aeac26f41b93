import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EmulatorOptions, type LedgerTask, startEmulator } from '@grsai-jobs/grsai-emulator';
import { startS3 } from '@grsai-jobs/testkit';
import { answerQuestions } from '../lib/children.ts';
import { median, quantile } from '../lib/sample.ts';
import { isSigned, signingKey } from '../lib/signature.ts';
import type { PeerBucket } from '../peers/job.ts';

/**
 * All that is around an image job: upstream, its files, a bucket, a receiver of webhooks. Each job is known by its prompt and by `metadata.n`, so
 * that its task and its webhooks are found whoever runs it. `start` comes first; `secret` says what webhooks are signed with from now on.
 */
export type PicturesQuestion =
  | { readonly ask: 'start'; readonly options: PicturesOptions }
  | { readonly ask: 'secret'; readonly secret: string }
  /** Of the jobs from this number on, of all without it; `polls` is of all. */
  | { readonly ask: 'books'; readonly from?: number };

export interface PicturesOptions {
  readonly taskMs: NonNullable<EmulatorOptions['taskMs']>;
  /** Upstream takes so long to answer a submit that it has taken already, and the receiver to answer a webhook. */
  readonly submitMs?: number;
  readonly receiverMs?: number;
}

export interface PicturesUrls {
  readonly upstream: string;
  readonly receiver: string;
  readonly s3: PeerBucket;
  /** The same as variables for our programs. */
  readonly s3Env: Readonly<Record<string, string>>;
}

export interface PicturesBooks {
  /** Paid calls that upstream took. */
  readonly paid: number;
  /** Jobs that it was paid for more than once. */
  readonly paidTwice: number;
  /** Jobs that it was paid for and that no webhook has said to have succeeded. */
  readonly lost: number;
  readonly polls: number;
  /** Submits and webhooks that are not answered yet. */
  readonly onTheirWay: { readonly submits: number; readonly webhooks: number };
  /** Objects in the bucket. */
  readonly stored: number;
  /** Jobs whose webhook said that they succeeded, or that they did not. */
  readonly succeeded: number;
  readonly failed: number;
  /** The reasons of the latter. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Jobs that had more than one webhook. */
  readonly toldTwice: number;
  readonly badSignatures: number;
  /** Seconds from the end of a task to the webhook of its job. */
  readonly late: { readonly median: number; readonly p95: number };
}

interface Told {
  readonly at: number;
  readonly succeeded: boolean;
  readonly reason: string;
}

interface Event {
  readonly data: {
    readonly status: string;
    readonly metadata: { readonly n?: string };
    readonly error?: { readonly code?: string; readonly message: string } | null;
  };
}

const told = new Map<string, Told[]>();
let badSignatures = 0;
let key: ReturnType<typeof signingKey> | undefined;
let receiverMs = 0;
const onTheirWay = { submits: 0, webhooks: 0 };

async function receive(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await textOf(incoming);
  const { data } = JSON.parse(body) as Event;
  if (key !== undefined && !isSigned(key, incoming.headers, body)) badSignatures += 1;
  const n = data.metadata.n ?? '';
  const reason = data.error?.code ?? data.error?.message ?? '';
  told.set(n, [...(told.get(n) ?? []), { at: Date.now(), succeeded: data.status === 'succeeded', reason }]);
  onTheirWay.webhooks += 1;
  await sleep(receiverMs);
  onTheirWay.webhooks -= 1;
  response.writeHead(204).end();
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function listen(answer: (incoming: IncomingMessage, response: ServerResponse) => Promise<void>): Promise<string> {
  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
    answer(incoming, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Upstream behind a wire that is as long as the real one: what was submitted is paid for long before it is known to be. */
const slowSubmits = async (target: string, ms: number): Promise<string> =>
  await listen(async (incoming, response) => {
    const { method = 'GET', url = '/', headers } = incoming;
    const forward = request(target + url, { method, headers: { ...headers, host: new URL(target).host } });
    incoming.pipe(forward);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      forward.once('response', resolve);
      forward.once('error', reject);
    });
    if (url.startsWith('/v1/api/generate')) {
      onTheirWay.submits += 1;
      await sleep(ms);
      onTheirWay.submits -= 1;
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });

/** A job is known by its prompt: `… number 17`. */
const numberOf = (prompt: string): string => /number (\d+)/.exec(prompt)?.[1] ?? '';

async function start(options: PicturesOptions) {
  const { taskMs, submitMs = 0 } = options;
  receiverMs = options.receiverMs ?? 0;
  const emulator = await startEmulator({ taskMs, chatMs: 50, imageEdge: 64, format: 'png' });
  const s3 = await startS3({ bucket: 'bench' });
  let polls = 0;
  emulator.on('answer', ({ kind }) => {
    if (kind === 'result') polls += 1;
  });
  const { endpoint, bucket, region, credentials } = s3;
  const urls: PicturesUrls = {
    upstream: submitMs === 0 ? emulator.url : await slowSubmits(emulator.url, submitMs),
    receiver: `${await listen(receive)}/hooks`,
    s3: { endpoint, bucket, region, credentials },
    s3Env: s3.env,
  };
  const books = (from: number): PicturesBooks => {
    const tasks = new Map<string, LedgerTask[]>();
    for (const task of emulator.ledger.tasksOf({ kind: 'image' })) {
      const n = numberOf(task.prompt);
      if (Number(n) < from) continue;
      tasks.set(n, [...(tasks.get(n) ?? []), task]);
    }
    const ofThese = [...told].filter(([n]) => Number(n) >= from);
    const all = ofThese.map(([, each]) => each);
    const late = ofThese.flatMap(([n, [first]]) => {
      const ended = tasks.get(n)?.[0]?.endedAt;
      return first === undefined || ended === undefined || !first.succeeded ? [] : [(first.at - ended) / 1000];
    });
    const reasons: Record<string, number> = {};
    for (const [{ succeeded = true, reason = '' } = {}] of all) if (!succeeded) reasons[reason] = (reasons[reason] ?? 0) + 1;
    const good = new Set(ofThese.filter(([, each]) => each.some(({ succeeded }) => succeeded)).map(([n]) => n));
    const puts = s3.requests.filter(({ method, path, status }) => method === 'PUT' && status === 200 && path.includes('1-0'));
    return {
      paid: [...tasks.values()].reduce((sum, { length }) => sum + length, 0),
      paidTwice: [...tasks.values()].filter(({ length }) => length > 1).length,
      lost: [...tasks.keys()].filter((n) => !good.has(n)).length,
      polls,
      onTheirWay: { ...onTheirWay },
      stored: new Set(puts.map(({ path }) => path)).size,
      succeeded: good.size,
      failed: ofThese.length - good.size,
      reasons,
      toldTwice: all.filter(({ length }) => length > 1).length,
      badSignatures,
      late: { median: median(late), p95: quantile(late, 0.95) },
    };
  };
  return { urls, books };
}

let started: Awaited<ReturnType<typeof start>> | undefined;

answerQuestions(async (question: PicturesQuestion): Promise<unknown> => {
  if (question.ask === 'start') {
    started = await start(question.options);
    return started.urls;
  }
  if (question.ask === 'secret') {
    key = signingKey(question.secret);
    return undefined;
  }
  return started?.books(question.from ?? 0);
});
