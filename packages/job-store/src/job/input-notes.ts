import { defineScript, type Redis, type RunScript } from '@grsai-jobs/redis';
import type { LastingWrite } from '../layout/lasting-write.ts';

/** Objects that a request has stored, or is about to store, before there is a record that names them. */
export interface InputNote {
  jobId: string;
  /** Keys in the object store. */
  objects: readonly string[];
}

const takeScript = defineScript({
  lua: new URL('./inputs-take.lua', import.meta.url),
  keys: ['notes', 'job'],
  args: ['note', 'kept_ms', 'now?'],
  whenFull: 'runs',
  // The objects are deleted then.
  lasts: true,
});

export type InputNotes = ReturnType<typeof createInputNotes>;

export const noteText = ({ jobId, objects }: InputNote): string => JSON.stringify([jobId, ...objects]);

function noteOf(text: string): InputNote {
  const [jobId = '', ...objects] = JSON.parse(text) as string[];
  return { jobId, objects };
}

/**
 * Notes of input objects whose process may die before it has written the record, so that somebody deletes them then. A note
 * goes with the `create` of its job, which makes none of a request whose objects are being deleted.
 */
export function createInputNotes(
  redis: Redis,
  run: RunScript,
  keys: { readonly inputNotes: string; job(id: string): string },
  clock: { now(): number },
  lasting: LastingWrite,
  scriptClock?: { now(): number },
) {
  return {
    /** Before the first of the objects is stored. It lasts, or a failover that forgot it would leave them there for ever. */
    async write(note: InputNote): Promise<void> {
      await lasting(() => redis.zadd(keys.inputNotes, clock.now(), noteText(note)));
    },

    /** The records are there, or the objects are gone. */
    async forget(notes: readonly InputNote[]): Promise<void> {
      if (notes.length > 0) await redis.zrem(keys.inputNotes, ...notes.map(noteText));
    },

    /** Notes from before `time`, the oldest `limit`. */
    async before(time: number, limit: number): Promise<InputNote[]> {
      const texts = await redis.zrange(keys.inputNotes, '-inf', String(time), 'BYSCORE', 'LIMIT', 0, limit);
      return texts.map(noteOf);
    },

    /** Whether it is `keptMs` old by the time of Redis, no job came of it, and none will: its objects can be deleted. */
    async take(note: InputNote, keptMs: number): Promise<boolean> {
      const args = { note: noteText(note), kept_ms: keptMs, now: scriptClock?.now() ?? null };
      return (await run(takeScript, { notes: keys.inputNotes, job: keys.job(note.jobId) }, args)) === 1;
    },
  };
}
