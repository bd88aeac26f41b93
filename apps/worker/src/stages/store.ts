import { type Grsai, GrsaiError } from '@grsai-jobs/grsai';
import {
  type Attempt,
  type FailureCode,
  type JobOutput,
  type JobRecord,
  objectFolder,
  type Pending,
  type StoredImage,
} from '@grsai-jobs/jobs';
import { NotMedia, type ObjectStore, ObjectStoreError, peekFacts } from '@grsai-jobs/object-store';
import { done, type Handler, type Outcome } from '@grsai-jobs/queue';
import { download, type Egress, EgressError } from '@grsai-jobs/webhooks';
import type { StorageHealth } from '../pauses/storage-health.ts';
import { endRun, failRun } from './end-run.ts';
import { attemptOf, type Kit, noteAttempt } from './kit.ts';
import { TASK_LIFE_MS } from './submit.ts';

/** How long a link that upstream gave after the first one died is tried. */
const FRESH_LINK_LIFE_MS = 5 * 60_000;

/** So many downloads in a row that failed alike: the task is asked whether it has another link. */
const SUSPECT_AFTER = 3;

/** Clocks differ, and nobody knows from when upstream counts the two hours (grsai-api §10.1). */
const TASK_GRACE_MS = 5 * 60_000;

export interface StoreKit extends Kit {
  objects: ObjectStore;
  egress: Egress;
  grsai: Pick<Grsai, 'images'>;
  /** In front of each key. */
  keyPrefix: string;
  storage: StorageHealth;
}

/** The fixed key of an output: `<tenant>/<yyyy>/<mm>/<dd>/<job_id>/<run>-<index>.<ext>` below the prefix (design §2). */
function outputKey(
  prefix: string,
  record: Pick<JobRecord, 'id' | 'tenant' | 'run' | 'created_at'>,
  index: number,
  ext: string,
): string {
  return `${objectFolder(prefix, record)}/${record.run}-${index}.${ext}`;
}

/** store: streams what was paid for into S3, for as long as its links live. */
export function createStoreStage(kit: StoreKit): Handler {
  return async ({ entry }) => {
    const record = await kit.store.jobs.read(entry.id);
    if (record === null || record.step !== entry.step || record.stage !== 'storing' || record.pending === null) return done;
    const startedAt = kit.clock.now();
    try {
      const output = await storeAll(kit, record);
      kit.storage.stored();
      const attempt = attemptOf(record, 'store', startedAt, kit.clock.now(), 'succeeded');
      noteAttempt(kit, record, attempt);
      await endRun(kit, record, { status: 'succeeded', output, attempts: [...record.attempts, attempt] });
      return done;
    } catch (error) {
      if (kit.shutdown.stopping.aborted) return { kind: 'wait', ms: 0 };
      if (error instanceof EgressError || error instanceof ObjectStoreError || error instanceof NotMedia)
        return await tryAgain(kit, record, startedAt, error);
      throw error;
    }
  };
}

async function storeAll(kit: StoreKit, record: JobRecord): Promise<JobOutput> {
  const { pending } = record;
  if (pending?.completion !== undefined) {
    const key = outputKey(kit.keyPrefix, record, 0, 'json');
    const stored = await kit.objects.putBytes(key, Buffer.from(JSON.stringify(pending.completion)), {
      contentType: 'application/json',
      signal: kit.shutdown.stopping,
    });
    return { kind: 'chat_file', key, ...stored };
  }
  const images: StoredImage[] = [];
  for (const [index, { url }] of (pending?.links ?? []).entries()) images.push(await storeOne(kit, record, index, url));
  return { kind: 'images', images };
}

/** One file, never whole in memory: guarded download, type from its bytes, SHA-256 on the way, proven to have arrived. */
async function storeOne(kit: StoreKit, record: JobRecord, index: number, url: string): Promise<StoredImage> {
  const source = await download(kit.egress, url, { signal: kit.shutdown.stopping });
  try {
    const { facts, body } = await peekFacts(source.body);
    const key = outputKey(kit.keyPrefix, record, index, facts.ext);
    const stored = await kit.objects.put(key, body, {
      contentType: facts.contentType,
      ...(source.contentLength === undefined ? {} : { contentLength: source.contentLength }),
      signal: kit.shutdown.stopping,
    });
    return {
      index,
      content_type: facts.contentType,
      bytes: stored.bytes,
      width: facts.width ?? null,
      height: facts.height ?? null,
      sha256: stored.sha256,
      key,
    };
  } finally {
    source.cancel();
  }
}

/** Again for the life of the link; when it looks dead the task is asked for a living one (design §2). */
async function tryAgain(
  kit: StoreKit,
  record: JobRecord,
  startedAt: number,
  error: EgressError | ObjectStoreError | NotMedia,
): Promise<Outcome> {
  const now = kit.clock.now();
  const ours = error instanceof ObjectStoreError && error.code !== 'source';
  if (ours) kit.storage.failed(error.message);
  const before = record.attempts.filter((each) => each.run === record.run && each.stage === 'store');
  const waitMs = kit.backoff(before.length);
  const code = ours ? 'storage_failed' : error instanceof NotMedia ? 'not_media' : error.code;
  const alive = now + waitMs < (record.pending?.dies_at ?? 0);
  const attempt = attemptOf(record, 'store', startedAt, now, alive ? 'retry' : 'failed', {
    code,
    ...(error instanceof EgressError ? { status: error.status } : {}),
  });
  noteAttempt(kit, record, attempt, { reason: error.message, ...(alive ? { retryInMs: waitMs } : {}) });
  const attempts = [...record.attempts, attempt];
  const suspect = !ours && before.filter((each) => each.error_code === code).length + 1 >= SUSPECT_AFTER;
  if (alive && !suspect) return await waitInPlace(kit, record, { waitMs, attempts });
  return await askTask(kit, record, attempts, { alive, waitMs, code: ours ? 'storage_failed' : 'upstream_result_lost' });
}

/** What the task says of its links now: fresh ones, that it is gone, or nothing that could be read. */
async function askTask(
  kit: StoreKit,
  record: JobRecord,
  attempts: readonly Attempt[],
  o: { alive: boolean; waitMs: number; code: FailureCode },
): Promise<Outcome> {
  const fresh = await freshLinks(kit, record);
  if (Array.isArray(fresh)) {
    const diesAt = Math.max(record.pending?.dies_at ?? 0, kit.clock.now() + FRESH_LINK_LIFE_MS);
    return await waitInPlace(kit, record, { waitMs: 0, attempts, pending: { links: fresh, dies_at: diesAt } });
  }
  const taskDiesAt = (record.submitted_at ?? record.created_at) + TASK_LIFE_MS + TASK_GRACE_MS;
  if (o.alive || (fresh === 'unreadable' && kit.clock.now() < taskDiesAt))
    return await waitInPlace(kit, record, { waitMs: o.waitMs, attempts });
  await failRun(kit, record, o.code, { attempts });
  return done;
}

/** The same entry waits; a job that was canceled meanwhile ends so. */
async function waitInPlace(
  kit: StoreKit,
  record: JobRecord,
  o: { waitMs: number; attempts: readonly Attempt[]; pending?: Pending },
): Promise<Outcome> {
  const moved = await kit.store.moves.storeAgain(record, o);
  if (moved.kind === 'ok') return { kind: 'wait', ms: o.waitMs };
  if (moved.kind === 'wrong' && moved.state === 'canceling/storing')
    await endRun(kit, record, { status: 'canceled', attempts: o.attempts });
  return done;
}

/** Links of the task that are not those that died. */
async function freshLinks(kit: StoreKit, record: JobRecord): Promise<{ url: string }[] | 'none' | 'unreadable'> {
  if (record.task_id === null || record.base === null) return 'none';
  const old = new Set(record.pending?.links?.map((link) => link.url));
  try {
    const task = await kit.grsai.images.result(record.task_id, { base: record.base, signal: kit.shutdown.stopping });
    const fresh = task.urls.filter((url) => !old.has(url));
    return task.status === 'succeeded' && fresh.length > 0 ? fresh.map((url) => ({ url })) : 'none';
  } catch (error) {
    if (error instanceof GrsaiError) return 'unreadable';
    throw error;
  }
}
