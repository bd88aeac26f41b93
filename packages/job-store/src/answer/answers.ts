import { defineScript, type Redis, type RunScript, readLua } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';

/** A request whose answer can be claimed by who sends it again. */
export interface AnswerRequest {
  /** Of the answer. */
  id: string;
  /** What makes a request the same: key, route and fingerprint. */
  print: string;
  /** The jobs that are made for it unless there is an answer to claim, or the batch of a file. */
  jobs: readonly string[];
  of?: 'job' | 'file-batch';
  /** The process that holds the answer. */
  process: string;
  /** Its sender says that it sends it again. */
  again: boolean;
  /** Takes an answer that is still held, since its caller did not leave within a while. */
  share: boolean;
  /** How long its jobs may live, in ms. */
  lifeMs: number;
  /** Its jobs are canceled when nobody comes back. */
  leaves: boolean;
}

/** `claimed`: the answer is that of these jobs; of several some may never have been made. `wait`: it is still held, and may be claimed soon. `new`: nobody has asked for it. */
export type AnswerClaim = { kind: 'claimed'; jobs: string[] } | { kind: 'wait' } | { kind: 'new' };

/** What became of an answer: `left`: its caller has gone. `dropped`: no job was made. */
export type AnswerEnd = 'delivered' | 'left' | 'dropped';

/** An answer for which nobody came back, with the ids of its jobs. */
export interface LeftAnswer {
  id: string;
  jobs: string[];
}

/** An answer can be claimed for so long after the end of its jobs, or after its caller left. */
const AFTER_MS = 15 * 60_000;
/** One that was delivered may have been lost on its way; whoever sends a request again says so by then. */
const LOST_MS = 60_000;
/** A process whose heart has not beaten for so long is gone. */
const DEAD_MS = 10_000;
/** Whoever cancels the jobs of an answer is gone when that took longer. */
const CANCELED_WITHIN_MS = 60_000;
/** Clients send a request again within a minute; one whose answer had begun they do not repeat. */
const LEAVES_MS = { unshown: 60_000, shown: 15_000 };

const UNWAITED_LUA = readLua(new URL('./unwaited.lua', import.meta.url));

const claimAnswer = defineScript({
  lua: new URL('./claim-answer.lua', import.meta.url),
  keys: ['index', 'fresh', 'held', 'processes', 'leaving', 'unwaited'],
  args: [
    ...['id', 'jobs', 'by', 'again', 'share', 'leaves', 'life_ms', 'after_ms', 'lost_ms', 'dead_ms', 'listeners_count'],
    ...['channel', 'job', 'erased', 'answer', 'now?'],
  ] as const,
  shared: [UNWAITED_LUA],
  whenFull: 'fails',
  lasts: true,
});

const settleAnswer = defineScript({
  lua: new URL('./settle-answer.lua', import.meta.url),
  keys: ['answer', 'leaving', 'unwaited'],
  args: ['id', 'how', 'text', 'held', 'after_ms', 'shown_ms', 'unshown_ms', 'now?'],
  shared: [UNWAITED_LUA],
  whenFull: 'runs',
});

const holdAgain = defineScript({
  lua: new URL('./hold-again.lua', import.meta.url),
  keys: ['held', 'processes', 'leaving', 'unwaited'],
  args: ['by', 'answer', 'now?', '...ids'],
  shared: [UNWAITED_LUA],
  whenFull: 'runs',
});

const leave = defineScript({
  lua: new URL('./leave.lua', import.meta.url),
  keys: ['processes', 'leaving', 'unwaited'],
  args: ['answer', 'held', 'dead_ms', 'unshown_ms', 'again_ms', 'now?'],
  shared: [UNWAITED_LUA],
  whenFull: 'runs',
});

export type Answers = ReturnType<typeof createAnswers>;

/**
 * Answers of requests that are held until their jobs end. A caller who lost one gets it by the same request, and pays once; each answer is one
 * caller's alone, however many send the same.
 * @param o.listenersCount PUBLISH says how many listen; in a Cluster it knows those of one node only
 */
export function createAnswers(
  redis: Redis,
  run: RunScript,
  keys: Pick<
    Keys,
    | 'answer'
    | 'answersOf'
    | 'answersHeld'
    | 'answersLeaving'
    | 'answersUnwaited'
    | 'apiProcesses'
    | 'apiChannel'
    | 'job'
    | 'erased'
    | 'fileBatch'
  >,
  o: { listenersCount: boolean; clock: { now(): number }; scriptClock?: { now(): number } | undefined },
) {
  const now = () => o.scriptClock?.now() ?? null;
  const shared = () => ({ after_ms: AFTER_MS, now: now() });
  async function settle(id: string, how: AnswerEnd | 'shown' | 'made', text: boolean): Promise<void> {
    await run(
      settleAnswer,
      { answer: keys.answer(id), leaving: keys.answersLeaving, unwaited: keys.answersUnwaited },
      {
        ...shared(),
        id,
        how,
        text: text ? 1 : 0,
        held: keys.answersHeld(''),
        shown_ms: LEAVES_MS.shown,
        unshown_ms: LEAVES_MS.unshown,
      },
    );
  }
  return {
    async claim(request: AnswerRequest): Promise<AnswerClaim> {
      const [kind, jobs] = (await run(
        claimAnswer,
        {
          index: keys.answersOf(request.print),
          fresh: keys.answer(request.id),
          held: keys.answersHeld(request.process),
          processes: keys.apiProcesses,
          leaving: keys.answersLeaving,
          unwaited: keys.answersUnwaited,
        },
        {
          ...shared(),
          id: request.id,
          jobs: request.jobs.join(','),
          by: request.process,
          again: request.again ? 1 : 0,
          share: request.share ? 1 : 0,
          leaves: request.leaves ? 1 : 0,
          life_ms: request.lifeMs + AFTER_MS,
          lost_ms: LOST_MS,
          dead_ms: DEAD_MS,
          listeners_count: o.listenersCount ? 1 : 0,
          channel: keys.apiChannel(''),
          job: request.of === 'file-batch' ? keys.fileBatch('') : keys.job(''),
          erased: keys.erased(''),
          answer: keys.answer(''),
        },
      )) as [AnswerClaim['kind'], string?];
      return kind === 'claimed' ? { kind, jobs: (jobs ?? '').split(',') } : { kind };
    },

    /** Some of a stream was written: only who says that it sends its request again gets this answer from now on. */
    shown: (id: string): Promise<void> => settle(id, 'shown', true),

    /** All jobs of a request were made: one that is missing from now on was erased. */
    made: (id: string): Promise<void> => settle(id, 'made', false),

    /** @param text whether some of a stream was written */
    settle: (id: string, how: AnswerEnd, text = false): Promise<void> => settle(id, how, text),

    /**
     * A process that may have counted as gone holds these answers still, some hundred at a time. Answers the ids of jobs that were taken
     * for such that nobody waits for: they may begin.
     */
    async holdAgain(process: string, ids: readonly string[]): Promise<string[]> {
      const at = {
        held: keys.answersHeld(process),
        processes: keys.apiProcesses,
        leaving: keys.answersLeaving,
        unwaited: keys.answersUnwaited,
      };
      const back = (await run(holdAgain, at, { by: process, answer: keys.answer(''), now: now(), ids })) as string[];
      return back.flatMap((jobs) => jobs.split(','));
    },

    /** Answers for which nobody came back, each until its jobs are `canceled`. */
    async left(): Promise<LeftAnswer[]> {
      const left = (await run(
        leave,
        { processes: keys.apiProcesses, leaving: keys.answersLeaving, unwaited: keys.answersUnwaited },
        {
          answer: keys.answer(''),
          held: keys.answersHeld(''),
          dead_ms: DEAD_MS,
          unshown_ms: LEAVES_MS.unshown,
          again_ms: CANCELED_WITHIN_MS,
          now: now(),
        },
      )) as [string, string][];
      return left.map(([id, jobs]) => ({ id, jobs: jobs.split(',') }));
    },

    /** The jobs of an answer for which nobody came back are canceled. */
    async canceled({ id, jobs }: LeftAnswer): Promise<void> {
      await redis.zrem(keys.answersUnwaited, ...jobs);
      await redis.zrem(keys.answersLeaving, id);
    },

    /** A process of the API lives. To be called every few seconds. */
    async beat(process: string): Promise<void> {
      await redis.zadd(keys.apiProcesses, o.clock.now(), process);
    },
  };
}
