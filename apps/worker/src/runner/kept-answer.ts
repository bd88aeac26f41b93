import type { ChatCompletion } from '@grsai-jobs/grsai';
import {
  type CallEnd,
  isLonger,
  type JobRecord,
  LIMITS,
  type NewAttempt,
  type Transition,
  type UnstoredResult,
} from '@grsai-jobs/jobs';
import { COMPLETION_LIFE_MS } from './decision.ts';

/** What an earlier call of this run brought without a reason for its end. */
export const earlierAnswer = ({ doc, unstored }: JobRecord): ChatCompletion | undefined =>
  doc.type === 'chat' ? (unstored?.completion as ChatCompletion | undefined) : undefined;

export const unstoredOf = (completion: ChatCompletion, now: number): UnstoredResult => ({
  completion,
  dies_at: now + COMPLETION_LIFE_MS,
});

/**
 * The end of a chat with its answer; a large one is stored first.
 *
 * @param o.attempt the call that has just ended; left out: none has.
 * @param o.callEnd what became of the call, where it was not this one that brought the answer.
 * @param o.notBefore as of `finish`.
 */
export function keepCompletion(
  { attempts_used }: JobRecord,
  completion: ChatCompletion,
  now: number,
  { notBefore, ...ended }: { attempt?: NewAttempt; callEnd?: CallEnd; notBefore?: number },
): Transition {
  if (isLonger(completion, LIMITS.inlineCompletionBytes))
    return { kind: 'start_storing', unstored: unstoredOf(completion, now), ...ended };
  const output = { kind: 'chat', completion } as const;
  const used = ended.attempt === undefined ? {} : { attemptsUsed: attempts_used + 1 };
  return { kind: 'finish', status: 'succeeded', output, ...used, ...ended, ...(notBefore === undefined ? {} : { notBefore }) };
}
