import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type Image, isOver, type Job } from './client.ts';
import type { Delivery, Receiver } from './receiver.ts';
import type { DemoJob } from './work.ts';

const LOOK_EVERY_MS = 400;

/** An image that was fetched by its signed link. */
interface CheckedImage {
  readonly image: Image;
  /** The file's name in the images folder. */
  readonly file: string;
  /** Empty when bytes and SHA-256 are what the job says, else what is wrong. */
  readonly problem: string;
}

/** One job of the demo and all that is known of it. */
export interface Entry {
  readonly wish: DemoJob;
  job: Job | undefined;
  images: readonly CheckedImage[];
  delivery: Delivery | undefined;
  /** What went wrong outside of the job: a refusal, a link that does not work. */
  problem: string;
}

export interface RunOptions {
  readonly client: Client;
  readonly receiver: Receiver;
  readonly imagesDir: string;
  readonly limitMs: number;
  readonly stop: AbortSignal;
  /** Called after each look at all jobs. */
  readonly onLook: (entries: readonly Entry[]) => void;
}

/**
 * Submits all jobs at once and follows them until each is over, its webhook has arrived and its images are checked, or
 * until the time is up.
 */
export async function runJobs(wishes: readonly DemoJob[], options: RunOptions): Promise<readonly Entry[]> {
  const entries: Entry[] = wishes.map((wish) => ({ wish, job: undefined, images: [], delivery: undefined, problem: '' }));
  await Promise.all(entries.map((entry) => guarded(entry, () => submit(entry, options))));

  const deadline = performance.now() + options.limitMs;
  while (!entries.every(isSettled) && performance.now() < deadline && !options.stop.aborted) {
    await Promise.all(entries.map((entry) => guarded(entry, () => look(entry, options))));
    options.onLook(entries);
    await sleep(LOOK_EVERY_MS);
  }
  return entries;
}

/** Nothing more can happen to it. */
const isSettled = (entry: Entry): boolean =>
  entry.problem !== '' || (entry.job !== undefined && isOver(entry.job) && entry.delivery !== undefined);

/** The job succeeded, its answer or its images are right, and its webhook was verified. */
export const isRight = (entry: Entry): boolean =>
  entry.problem === '' && entry.job?.status === 'succeeded' && entry.delivery?.type === 'job.succeeded' && hasResult(entry);

export const hasResult = (entry: Entry): boolean =>
  entry.wish.type === 'chat'
    ? answerOf(entry) !== ''
    : entry.images.length > 0 && entry.images.every(({ problem }) => problem === '');

/** The text of a completion; empty when there is none. */
export const answerOf = (entry: Entry): string => entry.job?.result?.choices?.[0]?.message?.content ?? '';

/** Seconds from the acceptance of the job to its end. */
export function secondsOf({ job }: Entry): number | undefined {
  return job?.finished_at ? (Date.parse(job.finished_at) - Date.parse(job.created_at)) / 1000 : undefined;
}

async function submit(entry: Entry, { client, receiver }: RunOptions): Promise<void> {
  entry.job = await client.submit(entry.wish, receiver.url);
}

async function look(entry: Entry, { client, receiver, imagesDir }: RunOptions): Promise<void> {
  if (entry.job === undefined || isSettled(entry)) return;
  if (!isOver(entry.job)) entry.job = await client.job(entry.job.id);
  const { id, result } = entry.job;
  if (result?.images && entry.images.length === 0)
    entry.images = await Promise.all(result.images.map((image) => fetchImage(id, image, imagesDir)));
  entry.delivery = receiver.verified(id);
}

async function fetchImage(id: string, image: Image, dir: string): Promise<CheckedImage> {
  const file = `${id}-${image.index}.${image.content_type.split('/').at(-1)?.replace('jpeg', 'jpg') ?? 'bin'}`;
  const answer = await fetch(image.url);
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (!answer.ok) return { image, file, problem: `the signed link answers ${answer.status}` };
  writeFileSync(join(dir, file), bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (bytes.length !== image.bytes) return { image, file, problem: `${bytes.length} bytes, the job says ${image.bytes}` };
  return { image, file, problem: sha256 === image.sha256 ? '' : `SHA-256 is ${sha256}, the job says ${image.sha256}` };
}

async function guarded(entry: Entry, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    entry.problem = error instanceof Error ? error.message : String(error);
  }
}
