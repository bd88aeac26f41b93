import { expect, test } from 'vitest';
import { onModel } from '../fallback.ts';
import { JobRequest } from '../request.ts';
import type { JobRecord } from './job.ts';
import { type HeldCall, knowsLess } from './knows-less.ts';
import { newRecord } from './new-job.ts';

const doc = {
  ...JobRequest.parse({ type: 'image', input: { model: 'nano-banana-2', prompt: 'a lighthouse' } }),
  on_unknown_submit: 'fail' as const,
  fallback_models: ['nano-banana-pro'],
};
const queued: JobRecord = newRecord({ id: 'job_1', tenant: 'acme', doc, createdAt: 1000, turn: 3 });
const lease = { token: 'A', acquired_at: 1100, expires_at: 2100 };
const running = (stage: 'submitting' | 'generating' | 'storing', more: object = {}): JobRecord => ({
  ...queued,
  status: 'running',
  stage,
  ...more,
});

const first: HeldCall = { doc, run: 1, step: 1, attempts_used: 0, lease };
/** The first task has failed, and the job was submitted once more. */
const second: HeldCall = { ...first, step: 3, attempts_used: 1 };
/** The attempts of the first model are used up, and the run went on with the next. */
const onNext = { doc: onModel(doc, 1) };
const fallenBack: HeldCall = { ...first, ...onNext, step: 5 };

test.each<[string, HeldCall, JobRecord, boolean]>([
  ['the record has its lease', first, running('submitting', { lease }), false],
  ['the record still waits', first, queued, true],
  ['the record got another entry meanwhile', first, { ...queued, step: 2 }, true],
  [
    'another call that was given up before it has the lease',
    first,
    running('submitting', { lease: { ...lease, token: 'B' } }),
    true,
  ],
  ['its task is on record', first, running('generating', { step: 2, attempts_used: 1 }), false],
  ['its job was submitted once more', first, { ...queued, step: 3, attempts_used: 1 }, false],
  ['the record has another run by now', first, { ...queued, run: 2, step: 5 }, false],
  ['its run has ended', first, { ...queued, status: 'failed', step: 2 }, false],
  ['the record has the task of the attempt before', second, running('generating', { step: 2, attempts_used: 1 }), true],
  ['the record has the call of the attempt before', second, running('submitting', { lease: { ...lease, token: 'B' } }), true],
  ['the record has a task of it', second, running('generating', { step: 4, attempts_used: 2 }), false],
  ['the record is in the run before', { ...first, run: 2, step: 4 }, { ...queued, status: 'failed', step: 3 }, true],
  ['the record is with the model before', fallenBack, { ...queued, step: 5, attempts_used: 2 }, true],
  ['the record has the task of the model before', fallenBack, running('generating', { step: 4, attempts_used: 3 }), true],
  ['the record waits with the next model', second, { ...queued, ...onNext, step: 5 }, false],
  [
    'another call with the next model is in flight',
    second,
    running('submitting', { ...onNext, lease: { ...lease, token: 'B' } }),
    false,
  ],
  ['its result is being stored', first, running('storing', { step: 2, attempts_used: 0 }), false],
])('when a call is in flight and %s then what a failover has forgotten is told', (_what, call, record, less) => {
  expect(knowsLess(record, call)).toBe(less);
});
