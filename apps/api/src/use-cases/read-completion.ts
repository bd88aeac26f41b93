import { buffer } from 'node:stream/consumers';
import type { JobOutput } from '@grsai-jobs/jobs';
import { type ObjectStore, ObjectStoreError } from '@grsai-jobs/object-store';
import type { Timers } from '@grsai-jobs/runtime';

/** The completion of a chat that has succeeded; or it cannot be read from the object store now (`away`), or never more (`gone`). */
type ReadResult = { kind: 'read'; completion: unknown } | { kind: 'away' | 'gone' };

export type ReadCompletion = (output: Extract<JobOutput, { kind: 'chat' | 'chat_file' }>) => Promise<ReadResult>;

/** One that is paid for is asked for again when the store fails, for some seconds. */
const TRIES = 4;
const AGAIN_MS = 700;
const ONE_TRY_MS = 10_000;

export function createReadCompletion(o: {
  objects: Pick<ObjectStore, 'get'>;
  timers: Pick<Timers, 'sleep' | 'timeout'>;
}): ReadCompletion {
  const read = async (key: string): Promise<unknown> => {
    const { body } = await o.objects.get(key, { signal: o.timers.timeout(ONE_TRY_MS) });
    return JSON.parse((await buffer(body)).toString('utf8')) as unknown;
  };
  return async (output) => {
    if (output.kind === 'chat') return { kind: 'read', completion: output.completion };
    for (let tries = 1; ; tries += 1) {
      try {
        return { kind: 'read', completion: await read(output.key) };
      } catch (error) {
        if (!(error instanceof ObjectStoreError)) throw error;
        if (error.code === 'not_found') return { kind: 'gone' };
        if (tries === TRIES) return { kind: 'away' };
        await o.timers.sleep(AGAIN_MS * tries);
      }
    }
  };
}
