import { randomUUID } from 'node:crypto';
import { GrsaiError, type StreamedBody } from '@grsai-jobs/grsai';
import { type InputObject, isInputObject, type JobDoc, restoreInput, type StoredInput } from '@grsai-jobs/jobs';
import { type ObjectStore, ObjectStoreError } from '@grsai-jobs/object-store';
import { base64Bytes, base64Of } from './base64-stream.ts';

/** `INPUT_IMAGES`: how pictures in the object store reach upstream. */
export type InputImages = 'inline' | 'link';

/** A link is read when the task starts, which a busy upstream may do late; no task lives longer. */
const LINK_TTL_S = 2 * 3600;

/** Shorter than the client waits for the upload to go on (design.md §4), so that a store that hangs is told from an upstream that does. */
const OPEN_LIMIT_MS = 8000;

/** Pieces small enough that a slow upload shows progress. */
const PIECE = 64 * 1024;

/** A body as our records hold it: where upstream wants a picture's text there may be a reference. */
type Kept<T> = T extends string
  ? T | InputObject
  : T extends readonly (infer E)[]
    ? readonly Kept<E>[]
    : T extends object
      ? { [K in keyof T]: Kept<T[K]> }
      : T;

/** A large input is read whole within this time, which its lease has for it beside that of the call. */
export const READ_INPUT_MS = 20_000;

/** Puts what of an input stands in the object store back into a body for upstream. */
export interface InputObjects {
  /**
   * The request as it was accepted, also where its record does not hold its input.
   * @throws GrsaiError `body_failed`, caused by an ObjectStoreError, when it cannot be read now, or is gone.
   */
  whole(doc: JobDoc, signal: AbortSignal): Promise<JobDoc>;
  /**
   * A body without such pictures stays as it is. Else it gets links, or becomes a stream that reads one picture after another from
   * the store; `fields` are those that the client adds by itself to a body that is no stream.
   */
  into<T extends object>(body: Kept<T>, fields: Readonly<Record<string, unknown>>): Promise<T | StreamedBody>;
}

export function createInputObjects(objects: Pick<ObjectStore, 'get' | 'signedUrl'>, how: InputImages): InputObjects {
  return {
    async whole(doc, signal) {
      if (doc.stored_input === undefined) return doc;
      try {
        return restoreInput(doc, await readText(objects, doc.stored_input, signal));
      } catch (cause) {
        throw new GrsaiError({
          code: 'body_failed',
          outcome: 'not_sent',
          retryable: true,
          message: 'the input of the job could not be read',
          cause,
        });
      }
    },

    async into<T extends object>(body: Kept<T>, fields: Readonly<Record<string, unknown>>) {
      const mark = randomUUID();
      const found: InputObject[] = [];
      const text = JSON.stringify({ ...fields, ...body }, (_name, value: unknown) =>
        isInputObject(value) ? `${mark}${found.push(value) - 1}${mark}` : value,
      );
      if (found.length === 0) return body as unknown as T;
      const parts = text.split(new RegExp(`${mark}\\d+${mark}`));
      if (how === 'inline') return streamed(objects, parts, found);
      const links = await Promise.all(found.map(({ $object }) => objects.signedUrl($object, LINK_TTL_S)));
      return JSON.parse(parts.map((part, i) => part + jsonInner(links[i]?.url ?? '')).join('')) as T;
    },
  };
}

/** A text as it stands between the quotes of a JSON string. */
const jsonInner = (text: string): string => JSON.stringify(text).slice(1, -1);

/** The parts of the JSON text with a data URL between each two. Every iterator reads the pictures anew. */
function streamed(objects: Pick<ObjectStore, 'get'>, parts: readonly string[], pictures: readonly InputObject[]): StreamedBody {
  const before = parts.map((part, i) => {
    const picture = pictures[i];
    return Buffer.from(picture === undefined ? part : `${part}data:${picture.content_type};base64,`);
  });
  const length =
    before.reduce((sum, bytes) => sum + bytes.length, 0) + pictures.reduce((sum, { bytes }) => sum + base64Bytes(bytes), 0);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const [i, bytes] of before.entries()) {
      for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
      const picture = pictures[i];
      if (picture !== undefined) yield* base64Of(await open(objects, picture.$object));
    }
  }
  return { length, chunks: { [Symbol.asyncIterator]: chunks } };
}

async function readText(
  objects: Pick<ObjectStore, 'get'>,
  { $object, bytes }: StoredInput,
  signal: AbortSignal,
): Promise<string> {
  const ends = AbortSignal.any([signal, AbortSignal.timeout(READ_INPUT_MS)]);
  const { body } = await objects.get($object, { signal: ends });
  const stop = () => void body.destroy(new ObjectStoreError('aborted', 'not read in time'));
  ends.addEventListener('abort', stop, { once: true });
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > bytes) break;
    }
    if (length !== bytes) throw new ObjectStoreError('unavailable', `${$object} has not the ${bytes} bytes that were stored`);
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    ends.removeEventListener('abort', stop);
    body.destroy();
  }
}

async function open(objects: Pick<ObjectStore, 'get'>, key: string): Promise<AsyncIterable<Uint8Array>> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), OPEN_LIMIT_MS);
  try {
    return (await objects.get(key, { signal: late.signal })).body;
  } finally {
    clearTimeout(timer);
  }
}
