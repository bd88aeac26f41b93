import { type Download, type Egress, EgressError } from '@grsai-jobs/egress';
import { type JobRecord, objectFolder, type StoredImage } from '@grsai-jobs/jobs';
import {
  Ending,
  factsOf,
  type MediaFacts,
  NotMedia,
  type ObjectStore,
  ObjectStoreError,
  peekFacts,
} from '@grsai-jobs/object-store';
import type { Timers } from '@grsai-jobs/runtime';
import type { HostSlots } from './host-slots.ts';

/** What putting one output into the object store takes. */
export interface OutputDeps {
  objects: ObjectStore;
  /** In front of each key. */
  keyPrefix: string;
}

export interface DownloadDeps extends OutputDeps {
  egress: Pick<Egress, 'download'>;
  /** How many downloads one host has of this worker's slots. */
  hosts: HostSlots;
  timers: Pick<Timers, 'elapsed'>;
}

type Owner = Pick<JobRecord, 'id' | 'tenant' | 'run' | 'created_at'>;

/** The fixed key of an output: `<tenant>/<yyyy>/<mm>/<dd>/<job_id>/<run>-<index>.<ext>` below the prefix (design.md §2.5). */
export function outputKey(prefix: string, record: Owner, index: number, ext: string): string {
  return `${objectFolder(prefix, record)}/${record.run}-${index}.${ext}`;
}

/**
 * One file, never whole in memory: guarded download, type from its bytes, SHA-256 on the way, proven to have arrived. `asItIs`: also one that
 * ends before its format does.
 */
export async function storeLink(
  d: DownloadDeps,
  record: Owner,
  file: { index: number; url: string; asItIs?: boolean },
  signal: AbortSignal,
): Promise<{ kind: 'stored'; image: StoredImage } | { kind: 'full'; ms: number }> {
  const slot = await d.hosts.enter(hostOf(file.url));
  if (typeof slot === 'number') return { kind: 'full', ms: slot };
  const began = d.timers.elapsed();
  const tookMs = () => d.timers.elapsed() - began;
  try {
    const source = await d.egress.download(file.url, { signal });
    const firstByteMs = tookMs();
    const image = await storeSource(d, record, file, source, signal);
    // A large file of a quick host takes its time; what counts is a host that keeps us waiting.
    slot.took(firstByteMs);
    return { kind: 'stored', image };
  } catch (error) {
    slot.took(tookMs());
    throw error;
  } finally {
    slot.leave();
  }
}

async function storeSource(
  d: OutputDeps,
  record: Owner,
  { index, asItIs = false }: { index: number; asItIs?: boolean },
  source: Download,
  signal: AbortSignal,
): Promise<StoredImage> {
  try {
    const { facts, body } = await peekFacts(source.body);
    const key = outputKey(d.keyPrefix, record, index, facts.ext);
    const file = source.endsByClose && !asItIs ? untilItsEnd(body, facts.contentType) : body;
    const stored = await d.objects.put(key, file, {
      contentType: facts.contentType,
      ...(source.contentLength === undefined ? {} : { contentLength: source.contentLength }),
      ownsChunks: true,
      signal,
    });
    return imageOf(index, facts, { ...stored, key });
  } finally {
    source.cancel();
  }
}

/** Throws behind its last byte where a file breaks off, which nothing else shows. */
async function* untilItsEnd(body: AsyncIterable<Uint8Array>, contentType: string): AsyncGenerator<Uint8Array> {
  const ending = new Ending(contentType);
  for await (const chunk of body) {
    ending.feed(chunk);
    yield chunk;
  }
  if (!ending.reached) throw new EgressError('truncated', 'the file ends before its format does');
}

/** Bytes that came in an answer. Rejects with `NotMedia`, or as the object store does. */
export async function storeBytes(
  d: OutputDeps,
  record: Owner,
  file: { index: number; bytes: Uint8Array },
  signal?: AbortSignal,
): Promise<StoredImage> {
  const facts = factsOf(file.bytes);
  const key = outputKey(d.keyPrefix, record, file.index, facts.ext);
  const stored = await d.objects.putBytes(key, file.bytes, {
    contentType: facts.contentType,
    ...(signal === undefined ? {} : { signal }),
  });
  return imageOf(file.index, facts, { ...stored, key });
}

const imageOf = (
  index: number,
  facts: MediaFacts,
  { key, bytes, sha256 }: { key: string; bytes: number; sha256: string },
): StoredImage => ({
  index,
  content_type: facts.contentType,
  bytes,
  width: facts.width ?? null,
  height: facts.height ?? null,
  sha256,
  key,
});

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : '');

/** Whose fault it is that an output could not be stored: our store's, a passing trouble of its host, or the file itself is no good. */
export interface Trouble {
  kind: 'ours' | 'passing' | 'refused';
  code: string;
  status?: number | undefined;
  reason: string;
}

/** `undefined`: an error that no stage handles. */
export function troubleOf(error: unknown): Trouble | undefined {
  if (error instanceof NotMedia) return { kind: 'refused', code: 'not_media', reason: `the file is ${error.message}` };
  if (error instanceof EgressError) {
    const { code, status, message } = error;
    return { kind: error.retryable ? 'passing' : 'refused', code, status, reason: message };
  }
  if (!(error instanceof ObjectStoreError)) return undefined;
  if (error.code !== 'source') return { kind: 'ours', code: 'storage_failed', reason: error.message };
  // The body broke on its way through the object store's hands; what broke it says more.
  return troubleOf(error.cause) ?? { kind: 'passing', code: error.code, reason: error.message };
}
