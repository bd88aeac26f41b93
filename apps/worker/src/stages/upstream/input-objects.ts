import { GrsaiError, type StreamedBody } from '@grsai-jobs/grsai';
import { type InputObject, isInputObject, type JobDoc, restoreInput, type StoredInput } from '@grsai-jobs/jobs';
import { base64Bytes, base64Of, type ObjectStore, ObjectStoreError } from '@grsai-jobs/object-store';
import type { Timers } from '@grsai-jobs/runtime';
import { READ_INPUT_MS } from '../../runner/decision.ts';

/** `INPUT_IMAGES`: how pictures in the object store reach upstream. */
export type InputImages = 'inline' | 'link';

/** A link is read when the task starts, which a busy upstream may do late; no task lives longer. */
const LINK_TTL_S = 2 * 3600;

/** Shorter than the client waits for the upload to go on (design.md §4), so that a store that hangs is not taken for an upstream that does. */
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

interface InputDeps {
  objects: Pick<ObjectStore, 'get' | 'signedUrl'>;
  how: InputImages;
  timers: Pick<Timers, 'after' | 'timeout'>;
  /** Makes a text that stands in no input. */
  newToken: () => string;
}

export function createInputObjects(d: InputDeps): InputObjects {
  const { objects, how } = d;
  return {
    async whole(doc, signal) {
      if (doc.stored_input === undefined) return doc;
      try {
        return restoreInput(doc, await readText(d, doc.stored_input, signal));
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
      if (!hasInputObject(body)) return body as unknown as T;
      const mark = d.newToken();
      const found: InputObject[] = [];
      const text = JSON.stringify({ ...fields, ...body }, (_name, value: unknown) =>
        isInputObject(value) ? `${mark}${found.push(value) - 1}${mark}` : value,
      );
      const parts = text.split(new RegExp(`${mark}\\d+${mark}`));
      if (how === 'inline') return streamed(d, parts, found);
      const links = await Promise.all(found.map(({ $object }) => objects.signedUrl($object, LINK_TTL_S)));
      return JSON.parse(parts.map((part, i) => part + jsonInner(links[i]?.url ?? '')).join('')) as T;
    },
  };
}

/** A body can be megabytes of text, of which nothing is read for this. */
const hasInputObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && (isInputObject(value) || Object.values(value).some(hasInputObject));

/** A text as it stands between the quotes of a JSON string. */
const jsonInner = (text: string): string => JSON.stringify(text).slice(1, -1);

/** The parts of the JSON text with a data URL between each two. Every iterator reads the pictures anew. */
function streamed(d: InputDeps, parts: readonly string[], pictures: readonly InputObject[]): StreamedBody {
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
      if (picture !== undefined) yield* base64Of(await open(d, picture.$object));
    }
  }
  return { length, chunks: { [Symbol.asyncIterator]: chunks } };
}

async function readText({ objects, timers }: InputDeps, { $object, bytes }: StoredInput, signal: AbortSignal): Promise<string> {
  const ends = AbortSignal.any([signal, timers.timeout(READ_INPUT_MS)]);
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

async function open({ objects, timers }: InputDeps, key: string): Promise<AsyncIterable<Uint8Array>> {
  const late = new AbortController();
  const endLimit = timers.after(OPEN_LIMIT_MS, () => late.abort());
  try {
    return (await objects.get(key, { signal: late.signal })).body;
  } finally {
    endLimit();
  }
}
