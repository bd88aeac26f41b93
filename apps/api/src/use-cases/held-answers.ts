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
  /** Ids of its jobs: of those of an earlier request when it was `claimed`, else of those that are to be made. */
  readonly jobs: readonly string[];
  readonly claimed: boolean;
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

export function createHoldAnswer(o: {
  answers: Pick<Answers, 'claim' | 'shown' | 'settle'>;
  /** The name of this process among those of the API. */
  process: string;
  newUlid: (now: number) => string;
  clock: { now(): number };
  slices: SliceQueue;
  timers: Pick<Timers, 'sleep' | 'elapsed'>;
  log: Logger;
}): HoldAnswer {
  return async ({ tenant, keyId, route, body, ...request }) => {
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
    let claimed = await claim();
    while (claimed.kind === 'wait') {
      await o.timers.sleep(ASK_EVERY_MS);
      claimed = await claim();
    }
    let [settled, text] = [false, false];
    const notSaid = (err: unknown) => o.log.warn({ event: 'answer.not_settled', err }, 'an answer stays held by this process');
    return {
      jobs: claimed.kind === 'claimed' ? claimed.jobs : jobs,
      claimed: claimed.kind === 'claimed',
      shown() {
        if (!text && !settled) void o.answers.shown(id).catch(notSaid);
        text = true;
      },
      async settle(how) {
        if (settled) return;
        settled = true;
        await o.answers.settle(id, how, text).catch(notSaid);
      },
    };
  };
}

/** Well within the time after which a process counts as gone. */
const BEAT_EVERY_MS = 3000;

/** Says every few seconds that this process lives. Resolves when it was said for the first time. */
export async function startPresence(o: {
  answers: Pick<Answers, 'beat'>;
  process: string;
  timers: Pick<Timers, 'every'>;
  onError: (error: Error) => void;
}): Promise<Service> {
  await o.answers.beat(o.process);
  const end = o.timers.every(BEAT_EVERY_MS, () => void o.answers.beat(o.process).catch(o.onError));
  return { name: 'presence', stop: async () => end() };
}
