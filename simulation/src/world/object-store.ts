import { Readable } from 'node:stream';
import { type ObjectStore, ObjectStoreError, type StoredObject } from '@grsai-jobs/object-store';
import type { Random } from '../random.ts';
import type { VirtualTime } from '../time/virtual-time.ts';
import { sha256 } from './picture.ts';
import type { SimulatedProcess } from './process.ts';
import { type Answered, answerOf, request } from './request.ts';

/** How the object store is. */
export type StoreCondition = 'well' | 'refusing' | 'silent';

interface Kept {
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly contentType: string;
}

/** A bucket that all processes share. */
export class Bucket {
  condition: StoreCondition = 'well';
  /** How often an answer comes too late although the object was kept. */
  lost = 0;
  readonly objects = new Map<string, Kept>();
  readonly #time: VirtualTime;
  readonly #random: Random;

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
  }

  /** The bucket as one process reaches it. */
  of(process: SimulatedProcess): ObjectStore {
    const ask = <T>(signal: AbortSignal | undefined, act: () => T): Promise<T> =>
      request<T>({
        time: this.#time,
        gate: process,
        thereInMs: this.#random.whole(1, 20),
        arrive: () => this.#arrive(act),
        signal,
        limitMs: 30_000,
        broken: (by) => new ObjectStoreError(by === 'signal' ? 'aborted' : 'unavailable', 'no answer from the object store'),
      });
    const put = (key: string, bytes: Uint8Array, contentType: string, signal: AbortSignal | undefined): Promise<StoredObject> =>
      ask(signal, () => {
        const kept = { bytes, sha256: sha256(bytes), contentType };
        this.objects.set(key, kept);
        return { bytes: bytes.length, sha256: kept.sha256 };
      });
    return {
      put: async (key, body, { contentType, signal }) => put(key, await gather(body), contentType, signal),
      putBytes: (key, bytes, { contentType, signal }) => put(key, bytes, contentType, signal),
      get: (key, { signal } = {}) =>
        ask(signal, () => {
          const kept = this.objects.get(key);
          if (kept === undefined) throw new ObjectStoreError('not_found', `there is no ${key}`);
          return { body: Readable.from([kept.bytes]), contentType: kept.contentType, bytes: kept.bytes.length };
        }),
      signedUrl: async (key, ttlS) => ({ url: `https://bucket.example/${key}`, expiresAt: process.clock.now() + ttlS * 1000 }),
      signsUntil: async () => null,
      list: (prefix) => ask(undefined, () => [...this.objects.keys()].filter((key) => key.startsWith(prefix))),
      delete: (keys) =>
        ask(undefined, () => {
          for (const key of keys) this.objects.delete(key);
        }),
      probe: (written) => ask(undefined, () => undefined).then(() => written?.()),
      close: () => undefined,
    };
  }

  #arrive<T>(act: () => T): Answered<T> {
    if (this.condition === 'silent') return { kind: 'silence' };
    const inMs = this.#random.whole(1, 40);
    if (this.condition === 'refusing')
      return {
        kind: 'answer',
        inMs,
        give: () => {
          throw new ObjectStoreError('unavailable', 'the object store says 503');
        },
      };
    const give = answerOf(act);
    return this.#random.chance(this.lost) ? { kind: 'silence' } : { kind: 'answer', inMs, give };
  }
}

async function gather(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of body) chunks.push(chunk);
  } catch (cause) {
    throw new ObjectStoreError('source', 'the body broke', { cause });
  }
  return Buffer.concat(chunks);
}
