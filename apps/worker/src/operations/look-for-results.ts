import { createHash } from 'node:crypto';
import type { JobStore } from '@grsai-jobs/job-store';
import { type Job, objectFolder, type StoredImage } from '@grsai-jobs/jobs';
import { NotMedia, type ObjectStore, ObjectStoreError, peekFacts } from '@grsai-jobs/object-store';
import pMap from 'p-map';
import { z } from 'zod';
import { type SettleDeps, settle } from '../runner/settle.ts';
import type { DoSlice } from './run-operations.ts';

interface Deps extends SettleDeps {
  store: SettleDeps['store'] & Pick<JobStore, 'suspects' | 'jobs'>;
  objects: Pick<ObjectStore, 'list' | 'get'>;
  /** In front of every key in the bucket. */
  keyPrefix: string;
}

const SLICE = 50;
const AT_ONCE = 5;
/** A job that somebody else changes meanwhile, as a repair does, is looked at anew so often. */
const TRIES = 8;

/** Held jobs that nothing was found of stay in front of the others. */
const Cursor = z.object({ passed: z.int(), found: z.int() }).nullable();

/**
 * After a restore: a held image whose results stand in the bucket was paid for and made, and is succeeded. Its keys are fixed, so that each
 * job is looked for at one place. What is not found there stays held.
 */
export const lookForResults =
  (d: Deps): DoSlice =>
  async (operation) => {
    const { passed, found } = Cursor.parse(operation.cursor) ?? { passed: 0, found: 0 };
    const held = await d.store.suspects.list({ skip: passed, limit: SLICE });
    try {
      const each = await pMap(held, ({ id }) => look(d, id), { concurrency: AT_ONCE });
      const here = each.filter((was) => was).length;
      const cursor = { passed: passed + held.length - here, found: found + here };
      if (held.length === SLICE) return { done: false, cursor };
      d.log.info({ event: 'restore.looked', ...cursor }, 'the bucket was searched for results of held jobs');
    } catch (err) {
      if (!(err instanceof ObjectStoreError && err.code === 'denied')) throw err;
      d.log.warn({ event: 'restore.not_looked', err }, 'the credentials may not list the bucket: held jobs stay held');
    }
    return { done: true };
  };

/** It is not let go for as long as its results are not on record: it would be made once more. */
async function look(d: Deps, id: string): Promise<boolean> {
  for (let n = 0; n < TRIES; n += 1) {
    const job = await d.store.jobs.read(id);
    if (job?.doc.type !== 'image' || (job.status !== 'queued' && job.stage !== 'submitting')) return false;
    const images = await imagesOf(d, job);
    if (images === null) return false;
    const settled = await settle(d, job, { kind: 'finish', status: 'succeeded', output: { kind: 'images', images } });
    if (settled.kind !== 'committed') continue;
    await d.store.suspects.release([id]);
    d.log.warn({ event: 'job.found', job_id: id, images: images.length }, 'results of a job that a restore had forgotten');
    return true;
  }
  return false;
}

/** What the newest run has left; `null`: nothing, or something that is no picture. */
async function imagesOf(d: Deps, job: Job): Promise<StoredImage[] | null> {
  const folder = `${objectFolder(d.keyPrefix, job)}/`;
  const keys = (await d.objects.list(folder)).flatMap((key) => {
    const [, run, index] = /^(\d+)-(\d+)\.[a-z0-9]+$/.exec(key.slice(folder.length)) ?? [];
    return run === undefined ? [] : [{ key, run: Number(run), index: Number(index) }];
  });
  const newest = Math.max(...keys.map(({ run }) => run));
  const own = keys.filter(({ run }) => run === newest && run >= job.run).sort((a, b) => a.index - b.index);
  if (own.length === 0 || own.some(({ index }, i) => index !== i)) return null;
  try {
    return await pMap(own, ({ key, index }) => imageOf(d, key, index), { concurrency: 1 });
  } catch (error) {
    if (error instanceof NotMedia) return null;
    throw error;
  }
}

/** Read to its end: what a record says of an image is true of the bytes that are there. */
async function imageOf(d: Deps, key: string, index: number): Promise<StoredImage> {
  const { facts, body } = await peekFacts((await d.objects.get(key)).body);
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of body) {
    hash.update(chunk);
    bytes += chunk.byteLength;
  }
  const size = { width: facts.width ?? null, height: facts.height ?? null };
  return { index, content_type: facts.contentType, bytes, ...size, sha256: hash.digest('hex'), key };
}
