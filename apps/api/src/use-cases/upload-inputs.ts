import type { InputNote, InputNotes } from '@grsai-jobs/job-store';
import {
  base64Of,
  eachPicture,
  inlineBytes,
  inputPieces,
  isInline,
  isLargeInput,
  isUntyped,
  type JobDoc,
  type JobRecord,
  LIMITS,
  mapPictures,
  objectFolder,
  type Picture,
  withStoredInput,
} from '@grsai-jobs/jobs';
import { factsOf, HEAD_BYTES, type MediaFacts, NotMedia, type ObjectStore, ObjectStoreError } from '@grsai-jobs/object-store';
import { type Logger, type SliceQueue, type Slices, type Timers, textInSlices } from '@grsai-jobs/runtime';
import type { FieldError } from '../validation/validate.ts';

/** A request whose large parts are in the object store. */
export interface UploadedInputs {
  kind: 'uploaded';
  doc: JobDoc;
  /** What was uploaded, to be written with the record that names it; `null`: nothing was. */
  note: InputNote | null;
  /** Removes what was uploaded, for a request that made no job. Never rejects. */
  discard(): Promise<void>;
}

/** Why nothing was uploaded. Nothing of the request stays. */
export type UploadRefusal =
  | { kind: 'invalid_images'; errors: readonly FieldError[] }
  /** The object store did not take it: its images, or an input that is large without them. */
  | { kind: 'not_uploaded'; what: 'images' | 'input' };

/**
 * Moves inline pictures over 32 KiB of a request to the object store, and then its input when that is still over 32 KiB; the record gets
 * references instead. Smaller pictures that came without a type get theirs.
 */
export type UploadInputs = (
  doc: JobDoc,
  job: Pick<JobRecord, 'id' | 'tenant' | 'created_at'>,
) => Promise<UploadedInputs | UploadRefusal>;

/** A request waits this long for a store that does not answer, and is refused then. 20 MiB take no longer at 6 Mbit/s. */
export const UPLOAD_LIMIT_MS = 30_000;

interface Large {
  pointer: string;
  ext: string;
  base64: string;
  contentType: string;
}

export function createUploadInputs(o: {
  objects: Pick<ObjectStore, 'putBytes' | 'delete'>;
  notes: Pick<InputNotes, 'write' | 'forget'>;
  timers: Pick<Timers, 'timeout'>;
  slices: SliceQueue;
  keyPrefix: string;
  limitMs: number;
  log: Logger;
}): UploadInputs {
  return async (doc, job) => {
    if (standsAsSent(doc)) return { kind: 'uploaded', doc, note: null, discard: NOTHING };
    const { large: found, typed, problems } = lookedAt(doc);
    if (problems.length > 0) return { kind: 'invalid_images', errors: problems };
    const slices = o.slices.of(job.tenant);
    const { kept, toStore } = await splitUp(doc, found, typed, objectFolder(o.keyPrefix, job), slices);
    if (toStore.length === 0) return { kind: 'uploaded', doc: kept, note: null, discard: NOTHING };
    const note: InputNote = { jobId: job.id, objects: toStore.map(({ key }) => key) };
    const remove = async (mayArrive: boolean): Promise<void> => {
      try {
        await o.objects.delete(note.objects);
        if (!mayArrive) await o.notes.forget([note]);
      } catch (err) {
        o.log.warn(
          { event: 'job.inputs_orphaned', err, job_id: job.id },
          'inputs of a request that made no job stay in S3 for an hour',
        );
      }
    };
    await o.notes.write(note);
    const signal = o.timers.timeout(o.limitMs);
    const stored = await Promise.allSettled(
      toStore.map(({ key, bytes, contentType }) => o.objects.putBytes(key, bytes, { contentType, signal, slices })),
    );
    const failed = stored.find((each) => each.status === 'rejected');
    if (failed) {
      // What the store has not refused may still arrive: the note stays, and `maintain` deletes it then.
      if (!signal.aborted) await remove(stored.some((each) => each.status === 'rejected' && !wasRefused(each.reason)));
      if (!(failed.reason instanceof ObjectStoreError)) throw failed.reason;
      o.log.warn(
        { event: 'job.inputs_not_stored', err: failed.reason, job_id: job.id },
        'what is large of an input could not be stored',
      );
      return { kind: 'not_uploaded', what: found.length > 0 ? 'images' : 'input' };
    }
    return { kind: 'uploaded', doc: kept, note, discard: async () => await remove(false) };
  };
}

/** A connection that broke behind the last byte says nothing of what the store does with it. */
const wasRefused = (error: unknown): boolean => error instanceof ObjectStoreError && !error.retryable;

const NOTHING = async (): Promise<void> => undefined;

/** What is to be stored of a request, and what its record holds then. */
async function splitUp(
  doc: JobDoc,
  found: readonly Large[],
  typed: ReadonlyMap<string, Picture>,
  folder: string,
  slices: Slices,
) {
  const toStore: { key: string; bytes: Buffer; contentType: string }[] = [];
  for (const [i, { ext, base64, contentType }] of found.entries())
    toStore.push({ key: `${folder}/in-${i}.${ext}`, bytes: await decoded(base64, slices), contentType });
  const references = toStore.map(({ key, bytes, contentType }, i): [string, Picture] => [
    found[i]?.pointer ?? '',
    { $object: key, content_type: contentType, bytes: bytes.length },
  ]);
  const kept = withPictures(doc, new Map([...typed, ...references]));
  if (!isLargeInput(kept)) return { kept, toStore };
  const whole = {
    key: `${folder}/input.json`,
    bytes: await textInSlices(inputPieces(kept), slices),
    contentType: 'application/json',
  };
  return { kept: withStoredInput(kept, { key: whole.key, bytes: whole.bytes.length }), toStore: [...toStore, whole] };
}

/** Whole groups of base64. */
const PIECE = 256 * 1024;

/** The bytes of base64 in its common form; other requests have a turn meanwhile. */
async function decoded(base64: string, slices: Slices): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(Math.ceil(base64.length / 4) * 3);
  let size = 0;
  for (let at = 0; at < base64.length; at += PIECE) {
    size += bytes.write(base64.slice(at, at + PIECE), size, 'base64');
    if (slices.over()) await slices.next();
  }
  return bytes.subarray(0, size);
}

const isLarge = (picture: Picture): picture is string =>
  typeof picture === 'string' && isInline(picture) && inlineBytes(picture) > LIMITS.recordImageBytes;

/** Large pictures are, and those that come without a type. */
function looksAtPictures(doc: Pick<JobDoc, 'input'>): boolean {
  let looks = false;
  eachPicture(doc, (picture) => {
    looks ||= isLarge(picture) || (typeof picture === 'string' && isUntyped(picture));
  });
  return looks;
}

/** Whether the record of a request has it as it was sent: nothing of it is stored, or changed. */
export const standsAsSent = (doc: JobDoc): boolean => !looksAtPictures(doc) && !isLargeInput(doc);

/** What is wrong with the pictures of a request that are looked at. */
export const inputProblems = (doc: Pick<JobDoc, 'type' | 'input'>): FieldError[] =>
  looksAtPictures(doc) ? lookedAt(doc).problems : [];

const withPictures = <D extends Pick<JobDoc, 'type' | 'input'>>(doc: D, changed: ReadonlyMap<string, Picture>): D =>
  changed.size === 0 ? doc : mapPictures(doc, (picture, pointer) => changed.get(pointer) ?? picture);

/** Large pictures are stored; of small ones those without a type get the one that their bytes say. */
function lookedAt(doc: Pick<JobDoc, 'type' | 'input'>): {
  large: Large[];
  typed: ReadonlyMap<string, Picture>;
  problems: FieldError[];
} {
  const large: Large[] = [];
  const typed = new Map<string, Picture>();
  const problems: FieldError[] = [];
  eachPicture(doc, (picture, pointer) => {
    const isStored = isLarge(picture);
    if (typeof picture !== 'string' || !(isStored || isUntyped(picture))) return;
    const base64 = base64Of(picture);
    const facts = imageFacts(Buffer.from(base64.slice(0, HEAD_CHARS), 'base64'));
    if (facts === null) problems.push({ pointer, message: 'is not an image: send PNG, JPEG, WebP, GIF or AVIF' });
    else if (isStored) large.push({ pointer, ext: facts.ext, base64, contentType: facts.contentType });
    else typed.set(pointer, `data:${facts.contentType};base64,${base64}`);
  });
  return { large, typed, problems };
}

/** What upstream takes for an input; results may be of more types. */
const INPUT_TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif'];

/** The type of a picture stands in its first bytes. */
const HEAD_CHARS = Math.ceil(HEAD_BYTES / 3) * 4;

/** The type from the bytes, whatever the data URL says. */
function imageFacts(bytes: Uint8Array): MediaFacts | null {
  try {
    const facts = factsOf(bytes);
    return INPUT_TYPES.includes(facts.contentType) ? facts : null;
  } catch (error) {
    if (error instanceof NotMedia) return null;
    throw error;
  }
}
