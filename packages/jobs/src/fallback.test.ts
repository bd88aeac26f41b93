import { expect, test } from 'vitest';
import type { CallEnd } from './cost/settlement.ts';
import type { JobDoc } from './doc.ts';
import { modelAt, nextModel, onModel } from './fallback.ts';
import { newRecord } from './job/new-job.ts';
import { JobRequest } from './request.ts';
import { restoreInput, withStoredInput } from './stored-input.ts';
import { viewJob } from './view.ts';

const docOf = (more: object = {}): JobDoc => ({
  ...JobRequest.parse({ type: 'image', input: { model: 'a', prompt: 'p' }, fallback_models: ['b', 'c'], ...more }),
  on_unknown_submit: 'fail',
});

test('when a request is put on its models in any order then each is the one that was meant, and the first is as it was sent', () => {
  const doc = docOf();
  for (const at of [1, 2, 0, 2]) {
    const on = onModel(onModel(doc, 1), at);
    expect([on.input.model, modelAt(on)]).toEqual([['a', 'b', 'c'][at], at]);
  }
  expect(onModel(onModel(doc, 2), 0)).toEqual(doc);
});

test('when the input stands in the object store then it is read with the model that the job goes on with', () => {
  const doc = docOf();
  const stored = withStoredInput(doc, { key: 'k', bytes: 9 });
  expect(restoreInput(onModel(stored, 1), JSON.stringify(doc.input)).input).toMatchObject({ model: 'b', prompt: 'p' });
});

test('when a job goes on with another model then callers see that, and their input as they sent it', async () => {
  const job = newRecord({ id: 'job_1', tenant: 'acme', doc: onModel(docOf(), 2), createdAt: 1, turn: 1 });
  expect(await viewJob(job, async () => ({ url: '', expiresAt: 0 }))).toMatchObject({
    model: 'c',
    input: { model: 'a' },
    fallback_models: ['b', 'c'],
  });
});

const gone = { reserve: 1, refunds: { error: false, violation: false }, isOld: false };
test.each<[CallEnd, object, typeof gone | null, number | null]>([
  ['nothing', {}, null, 1],
  ['failed', {}, null, 1],
  ['failed', {}, gone, null],
  ['perhaps_failed', { resubmit_failed: 'always' }, gone, 1],
  ['unknown', {}, null, null],
  ['unknown', { on_unknown_submit: 'resubmit' }, null, 1],
  ['made', {}, null, null],
  ['violation', {}, null, null],
  ['perhaps_violation', {}, null, null],
  ['nothing', { fallback_models: undefined }, null, null],
])('when a call came to %s (%j) then the run goes on with another model or not', (end, more, price, next) => {
  expect(nextModel({ doc: { ...docOf(), ...more } as JobDoc, price }, end)).toBe(next);
});
