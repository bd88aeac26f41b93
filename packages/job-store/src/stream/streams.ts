import { defineScript, type Redis, type RunScript } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';

/** More of an answer is not kept for who comes back: then the record answers, when the job has ended. */
export const MOST_STREAM_BYTES = 256 * 1024;
/** Between two pieces, and between two attempts. */
const LIVE_MS = 5 * 60_000;
/** After the end. */
const ENDED_MS = 60_000;

/** Some pieces of an answer, as they were written together. */
export interface StreamLine {
  /** Grows over all attempts of a job. */
  attempt: number;
  /** Who made the attempt: after a failover two may have one number. */
  writer: string;
  /** Counts the attempts of the run, from 1. */
  number: number;
  /** Its pieces are numbered from `first` on, the first of an attempt is 1. */
  first: number;
  count: number;
  /** Its place among those that are kept; -1: it is not. */
  at: number;
  /** The answer is whole with it, and is the one that the job ends with. */
  whole: boolean;
  /** As `PieceEncoder` wrote them. */
  pieces: string;
}

/** `published`: to who watches alone. `known`: they were written before. `stale`: a later attempt has begun. */
export type Appended = 'kept' | 'published' | 'known' | 'stale';

const append = defineScript({
  lua: new URL('./append-pieces.lua', import.meta.url),
  keys: ['stream'],
  args: ['attempt', 'writer', 'first', 'count', 'number', 'whole', 'most_bytes', 'keep_ms', 'pieces'],
  whenFull: 'fails',
});

export type Streams = ReturnType<typeof createStreams>;

/** Answers as they come in, for a while: who reads them needs them no more when the record has the answer. */
export function createStreams(redis: Pick<Redis, 'lrange'>, run: RunScript, keys: Pick<Keys, 'jobPart'>) {
  return {
    /** @param o.ended the job is about to end */
    async append(jobId: string, line: Omit<StreamLine, 'at'>, o: { ended: boolean }): Promise<Appended> {
      const { whole, ...rest } = line;
      const limits = { most_bytes: MOST_STREAM_BYTES, keep_ms: o.ended ? ENDED_MS : LIVE_MS };
      return (await run(
        append,
        { stream: keys.jobPart(jobId, 'stream') },
        { ...rest, ...limits, whole: whole ? 1 : 0 },
      )) as Appended;
    },

    /** What is kept, from a place on. */
    async read(jobId: string, at: number, most: number): Promise<StreamLine[]> {
      const lines = await redis.lrange(keys.jobPart(jobId, 'stream'), at, at + most - 1);
      return lines.flatMap((line) => readStreamLine(line) ?? []);
    },
  };
}

const LINE = /^(\d+) (\d+) (\d+) \d+ (\S+) (-?\d+) (\d+) ([01])\|/;

/** `null`: it is none. */
export function readStreamLine(text: string): StreamLine | null {
  const [head, attempt, first, count, writer = '', at, number, whole] = LINE.exec(text) ?? [];
  if (head === undefined) return null;
  return {
    ...{ attempt: Number(attempt), writer, number: Number(number), first: Number(first), count: Number(count) },
    ...{ at: Number(at), whole: whole === '1', pieces: text.slice(head.length) },
  };
}
