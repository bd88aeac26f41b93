import { createHash } from 'node:crypto';
import type { AnswerEnd, Answers } from '@grsai-jobs/job-store';
import { batchId, jobId } from '@grsai-jobs/jobs';
import type { Logger, Service, SliceQueue, Timers } from '@grsai-jobs/runtime';
import { fingerprintOf } from './fingerprint.ts';

/** A request whose answer is held until its jobs end. */
interface HeldRequest {
  tenant: string;
  keyId: string;
  route: string;
  /** As sent: whatever changes no job is part of what makes requests the same, so that the end users of one caller are never joined. */
  body: unknown;
  /** How many jobs it becomes; of the batch of a file 1. */
  jobs: number;
  of?: 'job' | 'file-batch';
  /** Its sender says that it sends it again. */
  again: boolean;
  lifeMs: number;
  /** Its jobs are canceled when its caller leaves and nobody comes back. */
  leaves: boolean;
}

/** The answer of a request, held by this process. */
export interface HeldAnswer {
  /** Ids of its jobs: of those of an earlier request when it was `claimed`, of which some may be missing yet, else of those that are to be made. */
  readonly jobs: readonly string[];
  readonly claimed: boolean;
  /** All of its jobs are there. */
  made(): void;
  /** Some of it was written, as a stream. */
  shown(): void;
  /** Says once what became of it. Never rejects. */
  settle(how: AnswerEnd): Promise<void>;
}

/** Holds the answer of a request: that of an earlier one, which its caller has lost, or one of its own. */
export type HoldAnswer = (request: HeldRequest) => Promise<HeldAnswer>;

/** A client that gives up tells nobody at once: what it sends again waits so long for its earlier request to be left. */
const LEFT_WITHIN_MS = 3000;
const ASK_EVERY_MS = 150;

/** Well within the time after which a process counts as gone. */
const BEAT_EVERY_MS = 3000;
/** Nobody can have counted as gone who has said that it lives within this time. */
const SILENT_MS = 2 * BEAT_EVERY_MS;
const HELD_AT_ONCE = 200;

/** The answers that this process holds. */
export interface HeldAnswers {
  hold: HoldAnswer;
  /**
   * Says that this process lives, to be called every few seconds. After a while in which it could not say so, others may have taken it for
   * gone, and its callers for such that have left: they have not. And what Redis did not take of the end of an answer is said once more.
   */
  beat(): Promise<void>;
}

export function createHeldAnswers(o: {
  answers: Pick<Answers, 'beat' | 'claim' | 'holdAgain' | 'made' | 'shown' | 'settle'>;
  /** Has the entry of a job come now that waits for its caller to come back. Never rejects. */
  wake: (jobId: string) => Promise<void>;
  /** The name of this process among those of the API. */
  process: string;
  newUlid: (now: number) => string;
  clock: { now(): number };
  slices: SliceQueue;
  timers: Pick<Timers, 'sleep' | 'elapsed'>;
  log: Logger;
}): HeldAnswers {
  const held = new Set<string>();
  const unsaid = new Map<string, { how: AnswerEnd; text: boolean }>();
  let beatAt = o.timers.elapsed();
  let mayBeGone = false;
  const notSaid = (err: unknown) =>
    o.log.warn({ event: 'answer.not_settled', err }, 'Redis did not take what became of an answer: it is told once more');

  async function end(id: string, how: AnswerEnd, text: boolean): Promise<void> {
    held.delete(id);
    await o.answers.settle(id, how, text).catch((err: unknown) => {
      unsaid.set(id, { how, text });
      notSaid(err);
    });
  }

  async function sayAgain(): Promise<void> {
    const ends = [...unsaid];
    unsaid.clear();
    await Promise.all(ends.map(([id, { how, text }]) => end(id, how, text)));
  }

  async function beat(): Promise<void> {
    const at = o.timers.elapsed();
    await o.answers.beat(o.process);
    mayBeGone ||= o.timers.elapsed() - beatAt > SILENT_MS;
    beatAt = Math.max(beatAt, at);
    if (mayBeGone) {
      const all = [...held];
      for (let from = 0; from < all.length; from += HELD_AT_ONCE) {
        // Not those of which it was said meanwhile what became of them.
        const some = all.slice(from, from + HELD_AT_ONCE).filter((id) => held.has(id));
        await Promise.all((await o.answers.holdAgain(o.process, some)).map(o.wake));
      }
      mayBeGone = false;
    }
    await sayAgain();
  }

  const hold: HoldAnswer = async ({ tenant, keyId, route, body, ...request }) => {
    const fingerprint = await fingerprintOf(body, o.slices.of(tenant));
    const print = createHash('sha256').update(`${keyId}\n${route}\n${fingerprint}`).digest('base64url');
    const ulid = () => o.newUlid(o.clock.now());
    const id = ulid();
    const idOf = request.of === 'file-batch' ? batchId : jobId;
    const jobs = Array.from({ length: request.jobs }, () => idOf(ulid()));
    const since = o.timers.elapsed();
    const claim = async () =>
      await o.answers.claim({
        ...request,
        id,
        print,
        jobs,
        process: o.process,
        share: o.timers.elapsed() >= since + LEFT_WITHIN_MS,
      });
    const claimedInTime = async () => {
      // This may be the same request once more, of a caller of whom Redis did not hear that it left.
      await sayAgain();
      for (let claimed = await claim(); ; claimed = await claim()) {
        if (claimed.kind !== 'wait') return claimed;
        await o.timers.sleep(ASK_EVERY_MS);
      }
    };
    const claimed = await claimedInTime().catch((error: unknown) => {
      // It may hold an answer by now, of which nobody would say what became.
      void end(id, 'left', false);
      throw error;
    });
    held.add(id);
    let [settled, text] = [false, false];
    return {
      jobs: claimed.kind === 'claimed' ? claimed.jobs : jobs,
      claimed: claimed.kind === 'claimed',
      made() {
        // Of a single one there is nothing to be made.
        if (request.jobs > 1) void o.answers.made(id).catch(notSaid);
      },
      shown() {
        if (!text && !settled) void o.answers.shown(id).catch(notSaid);
        text = true;
      },
      async settle(how) {
        if (settled) return;
        settled = true;
        await end(id, how, text);
      },
    };
  };

  return { hold, beat };
}

/** Says every few seconds that this process lives. Resolves when it was said for the first time. */
export async function startPresence(o: {
  beat: HeldAnswers['beat'];
  timers: Pick<Timers, 'every'>;
  onError: (error: Error) => void;
}): Promise<Service> {
  await o.beat();
  const end = o.timers.every(BEAT_EVERY_MS, () => void o.beat().catch(o.onError));
  return { name: 'presence', stop: async () => end() };
}
