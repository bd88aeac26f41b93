import { type ChatCompletion, type Grsai, GrsaiError, isEmptyCompletion } from '@grsai-jobs/grsai';
import type { AccountLimits } from '@grsai-jobs/job-store';
import { LIMITS } from '@grsai-jobs/jobs';
import { done, type Handler, type Outcome } from '@grsai-jobs/queue';
import { endRun } from './end-run.ts';
import { type FailedCallKit, settleFailedCall } from './failed-call.ts';
import { attemptOf, noteAttempt } from './kit.ts';
import { openPaidCall, type PaidCall } from './paid-call.ts';
import { chatBody } from './upstream-bodies.ts';

/** The whole of a held call (design §4). */
const CALL_LIMIT_MS = 300_000;

/** A completion that is too large for the record waits in it until it is stored; nothing upstream can bring it back. */
const COMPLETION_LIFE_MS = 7 * 24 * 3600 * 1000;

export interface CallKit extends FailedCallKit {
  grsai: Pick<Grsai, 'chat'>;
  limits: AccountLimits;
}

/** call: one held call from its first byte to its answer. */
export function createCallStage(kit: CallKit): Handler {
  return async ({ entry }) => {
    const call = await openPaidCall(kit, entry, { stage: 'call', limitMs: CALL_LIMIT_MS, limits: kit.limits });
    if (!('record' in call)) return call;
    try {
      const completion = await kit.grsai.chat.complete(chatBody(call.record.doc), { signal: kit.shutdown.cutting });
      return await keepCompletion(kit, call, notEmpty(completion));
    } catch (error) {
      return await settleFailedCall(kit, call, 'call', error);
    }
  };
}

/** A 200 with empty content is seen in the wild (grsai-api §12 T20); each one is an attempt (design §3). */
function notEmpty(completion: ChatCompletion): ChatCompletion {
  if (isEmptyCompletion(completion))
    throw new GrsaiError({
      code: 'refused',
      outcome: 'refused',
      category: 'failed',
      status: 200,
      retryable: true,
      message: 'upstream answered with an empty completion',
    });
  return completion;
}

async function keepCompletion(kit: CallKit, call: PaidCall, completion: ChatCompletion): Promise<Outcome> {
  const { record, token } = call;
  const attempt = attemptOf(record, 'call', call.startedAt, kit.clock.now(), 'succeeded');
  noteAttempt(kit, record, attempt);
  const attempts = [...record.attempts, attempt];
  const spent = record.spent + 1;
  if (Buffer.byteLength(JSON.stringify(completion)) <= LIMITS.inlineCompletionBytes) {
    await endRun(kit, record, { status: 'succeeded', by: token, output: { kind: 'chat', completion }, attempts, spent });
    return done;
  }
  const pending = { completion, dies_at: kit.clock.now() + COMPLETION_LIFE_MS };
  const moved = await kit.store.moves.outputs(record, { by: token, pending, attempts, spent });
  if (moved.kind === 'ok') await kit.producer.enqueue({ ...record, stage: 'storing', step: moved.step, turn: moved.turn });
  return done;
}
