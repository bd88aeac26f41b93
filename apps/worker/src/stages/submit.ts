import type { GrsaiApi, ImageTask, Submitted } from '@grsai-jobs/grsai';
import { budgetMs, durationKind, nextPollMs } from '@grsai-jobs/jobs';
import type { Clock, Timers } from '@grsai-jobs/runtime';
import { anySignal } from 'any-signal';
import type { CallIo, Decision, PaidCall, PaidStage } from '../runner/decision.ts';
import { attemptAt } from './attempt.ts';
import { type PaidOutputsDeps, storeOutputs } from './outputs/paid-outputs.ts';
import type { LearnedPace } from './task/learned-pace.ts';
import type { InputObjects } from './upstream/input-objects.ts';
import { imageTask } from './upstream/upstream-bodies.ts';

/**
 * The whole of an asynchronous submit, so that it always ends inside a stop (P6). The limits of the client (10 s without
 * progress of the upload, 15 s to the answer) mostly end it sooner.
 */
const SUBMIT_LIMIT_MS = 21_000;

export interface SubmitDeps extends PaidOutputsDeps {
  timers: Pick<Timers, 'timeout' | 'after'>;
  grsai: Pick<GrsaiApi, 'images'>;
  inputs: Pick<InputObjects, 'into'>;
  pace: Pick<LearnedPace, 'durations'>;
  clock: Clock;
  random: () => number;
}

/** submit: hands an image task to upstream. */
export function createSubmitStage(d: SubmitDeps): PaidStage {
  return {
    name: 'submit',
    limitMs: SUBMIT_LIMIT_MS,
    async decide(call, io) {
      const { doc } = call.job;
      const limit = new AbortController();
      const endLimit = d.timers.after(SUBMIT_LIMIT_MS, () =>
        limit.abort(new DOMException('not answered in time', 'TimeoutError')),
      );
      // A stop that is shorter than a submit cuts it, so that its outcome is at least written down.
      const signal = anySignal([limit.signal, io.signal]);
      try {
        const task = await d.inputs.into<ImageTask>(imageTask(doc), { replyType: 'async' });
        const taken = await d.grsai.images.submit(task, { signal, supplied: doc.input });
        return taken.outputs === undefined ? accepted(d, call, taken) : await finished(d, call, io, taken, taken.outputs);
      } finally {
        endLimit();
        signal.clear();
      }
    },
  };
}

const attemptOf = (d: SubmitDeps, { startedAt }: PaidCall, base: string) =>
  attemptAt('submit', startedAt, d.clock.now(), 'accepted', { base });

function accepted(d: SubmitDeps, call: PaidCall, { id, base }: Submitted): Decision {
  const known = d.pace.durations(durationKind(call.job.doc));
  return {
    transition: {
      kind: 'task_accepted',
      task: { base, id },
      attempt: attemptOf(d, call, base),
      firstPollMs: nextPollMs(0, known, d.random),
      aliveMs: budgetMs(known),
    },
    entry: 'done',
    upstreamAccepted: true,
  };
}

/** The answer says that the task is done and brings what it made: there is nothing to wait for, and maybe nothing to ask. */
function finished(
  d: SubmitDeps,
  call: PaidCall,
  io: CallIo,
  { id, base }: Submitted,
  outputs: NonNullable<Submitted['outputs']>,
): Promise<Decision> {
  const task = id === '' ? {} : { task: { id, base } };
  return storeOutputs(d, call, io, outputs, { attempt: attemptOf(d, call, base), ...task });
}
