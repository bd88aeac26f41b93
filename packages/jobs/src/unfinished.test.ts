import { expect, test } from 'vitest';
import type { JobDoc } from './doc.ts';
import type { Attempt, JobRecord } from './job/job.ts';
import { JobRequest } from './request.ts';
import { decideUnfinished, NO_FINISH_REASON } from './unfinished.ts';

const attempt = (run: number, error_code?: string): Attempt => ({
  run,
  stage: 'call',
  number: 1,
  started_at: 0,
  ended_at: 1,
  outcome: 'retry',
  ...(error_code === undefined ? {} : { error_code }),
});

const doc = (more: object = {}): JobDoc => ({
  ...JobRequest.parse({ type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hello' }] } }),
  on_unknown_submit: 'resubmit',
  ...more,
});

test.each<[string, Pick<JobRecord, 'attempts' | 'attempts_used' | 'doc'>, string]>([
  ['the first of its run', { attempts: [], attempts_used: 0, doc: doc() }, 'again'],
  ['the first after other trouble', { attempts: [attempt(2, 'timeout'), attempt(2)], attempts_used: 1, doc: doc() }, 'again'],
  [
    'the first of this run, but not of the job',
    { attempts: [attempt(1, NO_FINISH_REASON)], attempts_used: 0, doc: doc() },
    'again',
  ],
  ['the second of its run', { attempts: [attempt(2, NO_FINISH_REASON)], attempts_used: 1, doc: doc() }, 'accept'],
  [
    'the second, with other trouble between',
    { attempts: [attempt(2, NO_FINISH_REASON), attempt(2, 'timeout')], attempts_used: 2, doc: doc() },
    'accept',
  ],
  ['of the last attempt', { attempts: [], attempts_used: 3, doc: doc({ max_attempts: 4 }) }, 'accept'],
  ['of the only attempt', { attempts: [], attempts_used: 0, doc: doc({ max_attempts: 1 }) }, 'accept'],
  ['of a call that is not to be repeated', { attempts: [], attempts_used: 0, doc: doc({ on_unknown_submit: 'fail' }) }, 'accept'],
])('when an answer without a finish_reason is %s then the table decides', (_what, seen, verdict) => {
  expect(decideUnfinished({ run: 2, ...seen })).toBe(verdict);
});
