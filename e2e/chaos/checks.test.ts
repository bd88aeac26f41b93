import type { LedgerTask, Submit } from '@grsai-jobs/grsai-emulator';
import type { LogLine, Received } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import type { Caused } from './cause-troubles.ts';
import { CHECKS, findings } from './checks/index.ts';
import type { BatchEvidence, Evidence, JobEvidence, ProcessEvidence } from './evidence.ts';
import type { JobRecord } from './eye.ts';
import { NO_FAULT } from './faults.ts';
import type { PlannedJob } from './plan-jobs.ts';

/** Each check meets evidence that it must complain of, and only it. The story is one image job that went well. */

const ID = 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D';
const EVENT = 'evt_01K9ZV5W3N8Q2R4T6V8X0Z2B4D_1_job_succeeded';
const T0 = Date.UTC(2031, 0, 1);

const planned: PlannedJob = {
  ...{
    n: 1,
    kind: 'task',
    tenant: 'acme',
    batch: undefined,
    atMs: 0,
    key: 'chaos-1-1',
    twice: false,
    fault: NO_FAULT,
    onUnknown: 'fail',
  },
  ...{ prompt: 'chaos job 1. ', webhook: {}, expiresInS: 3600, cancelAfterMs: undefined },
};
const record: JobRecord = {
  ...{ id: ID, n: 1, status: 'succeeded', stage: '', run: 1, step: 4, due: 0, crashes: 0, batch: '', task: 't1', error: null },
  output: { kind: 'images', images: [{ key: 'k', sha256: 'aa' }] },
  past: {},
  raw: { chg: '10', unk: '10' },
};
const task: LedgerTask = {
  ...{ id: 't1', node: 0, kind: 'image', model: 'm', prompt: planned.prompt, status: 'succeeded', charged: 10, refunded: 0 },
  ...{ createdAt: T0, endedAt: T0 + 1000, files: ['f.png'] },
};
const submit: Submit = {
  ...{ n: 1, at: T0, node: 0, kind: 'image', model: 'm', prompt: planned.prompt, key: 'k', outcome: 'accepted', error: '' },
  ...{ taskId: 't1', charged: 10, refunded: 0, answered: true },
};
const answer = { at: T0, status: 202, id: ID, replayed: false, text: '' };
const job: JobEvidence = { planned, answers: [answer], records: [record], tasks: [task], submits: [submit] };
const hook = (id: string, more: Partial<Received> = {}): Received => ({
  ...{ method: 'POST', path: '/hook', headers: { 'webhook-id': id }, body: '', at: T0, signature: 'valid' },
  json: { id, type: 'job.succeeded', data: { id: ID, status: 'succeeded' } },
  ...more,
});
const process_: ProcessEvidence = { name: 'worker-0', lines: [], unexpected: [], failedStarts: [], lastExit: 0 };
const good: Evidence = {
  calm: false,
  jobs: [job],
  batches: [],
  troubles: [],
  limits: [],
  usage: { acme: { credits: 0, reserved: 20 }, thrift: { credits: 0, reserved: 0 } },
  events: ['job.queued', 'job.started', 'job.succeeded'].map((type, i) => ({ at: T0 + 1000 * i, job: ID, seq: i + 1, type })),
  hooks: [hook(EVENT)],
  receivedEvents: new Set([EVENT]),
  counters: {},
  processes: [process_],
  served: new Map([['t1', 'aa']]),
  objects: new Map([['k', 'aa']]),
};

const view = {
  id: 'batch_01K9ZV5W3N8Q2R4T6V8X0Z2B4D',
  status: 'completed',
  round: 0,
  counts: { total: 1, succeeded: 1, failed: 0 },
};
const batch: BatchEvidence = {
  ...{ jobs: [planned], answers: [{ ...answer, id: view.id }], view },
  rows: [{ line: 1, custom_id: 'n1', status: 'succeeded' }],
};
const withView = (more: Partial<typeof view>): Evidence => ({ ...good, batches: [{ ...batch, view: { ...view, ...more } }] });

const withJob = (more: Partial<JobEvidence>): Evidence => ({ ...good, jobs: [{ ...job, ...more }] });
const withRecord = (more: Partial<JobRecord>): Evidence => withJob({ records: [{ ...record, ...more }] });
const withLine = (fields: object, troubles: readonly Caused[] = [], counters = {}): Evidence => {
  const line = { time: new Date(T0 + 60_000).toISOString(), raw: JSON.stringify(fields), stream: 'stdout', ...fields } as LogLine;
  return { ...good, troubles, counters, processes: [{ ...process_, lines: [line] }] };
};
const trouble = (kind: 'worker.kill' | 'redis.kill', atMs: number): Caused => ({
  trouble: { atMs, ms: 1000, ...(kind === 'worker.kill' ? { kind, worker: 0 } : { kind }) },
  ...{ from: T0 + atMs, until: T0 + atMs + 1000, struck: true, open: [] },
});
const unknown = { status: 'failed', error: { code: 'submit_unknown' }, output: null };
/** The end of the job was another one, and its event and webhook say so. */
const endedUnknown = (more: Partial<JobEvidence> = {}): Evidence => ({
  ...withJob({ records: [{ ...record, ...unknown }], ...more }),
  events: good.events.map((event) => (event.seq === 3 ? { ...event, type: 'job.failed' } : event)),
  hooks: [
    hook(EVENT.replace('succeeded', 'failed'), {
      json: { id: EVENT.replace('succeeded', 'failed'), type: 'job.failed', data: { status: 'failed' } },
    }),
  ],
  receivedEvents: new Set([EVENT.replace('succeeded', 'failed')]),
});
const failed = (code: string): Evidence => withJobOf(endedUnknown(), { ...unknown, error: { code } });
const withJobOf = (evidence: Evidence, more: Partial<JobRecord>): Evidence => ({
  ...evidence,
  jobs: evidence.jobs.map((each) => ({ ...each, records: each.records.map((one) => ({ ...one, ...more })) })),
});
const open = (id: string): Caused => ({ ...trouble('worker.kill', 0), open: [{ id, token: 'x' }] });
const repaired = { event: 'job.repaired', job_id: ID, level: 'warn', status: 'queued', stage: null };

const refused = (at: number, code: string) => ({
  ...answer,
  at,
  status: 429,
  id: undefined,
  text: `{"type":"urn:grsai-jobs:problem:${code}"`,
});
const withBudgets = (...budgets: { at: number; credits: number }[]): Evidence => ({
  ...good,
  limits: budgets.map(({ at, credits }) => ({
    ...{ tenant: 'acme', askedAt: at, answeredAt: at + 1 },
    limits: { budget: { credits, period: 'total' } },
  })),
});

const COMPLAINTS: readonly { when: string; check: keyof typeof CHECKS; evidence: Evidence }[] = [
  {
    when: 'an accepted job has no record',
    check: 'every accepted job has ended',
    evidence: { ...withJob({ records: [], tasks: [] }), events: [], hooks: [], receivedEvents: new Set() },
  },
  {
    when: 'one POST was refused and no other taken',
    check: 'one Idempotency-Key makes one job',
    evidence: withJob({ answers: [{ ...answer, status: 422, id: undefined }] }),
  },
  {
    when: 'one key was answered with two jobs',
    check: 'one Idempotency-Key makes one job',
    evidence: withJob({ answers: [answer, { ...answer, id: 'job_other' }] }),
  },
  {
    when: 'one key made two records',
    check: 'one Idempotency-Key makes one job',
    evidence: withJob({ records: [record, record] }),
  },
  {
    when: 'a batch was never accepted',
    check: 'every batch adds up',
    evidence: { ...good, batches: [{ ...batch, view: undefined, answers: [] }] },
  },
  {
    when: 'one key was answered with two batches',
    check: 'every batch adds up',
    evidence: { ...good, batches: [{ ...batch, answers: [...batch.answers, { ...answer, id: 'batch_other' }] }] },
  },
  { when: 'a batch has not ended', check: 'every batch adds up', evidence: withView({ status: 'running' }) },
  {
    when: 'a batch counts other ends than its jobs have',
    check: 'every batch adds up',
    evidence: withView({ counts: { total: 1, succeeded: 0, failed: 1 } }),
  },
  {
    when: 'a line of a batch has no result',
    check: 'every batch adds up',
    evidence: { ...good, batches: [{ ...batch, rows: [] }] },
  },
  {
    when: 'the webhook of a batch never arrived',
    check: 'every pending delivery has arrived, and no other',
    evidence: { ...good, batches: [{ ...batch, view: { ...view, round: 1 } }] },
  },
  {
    when: 'two tasks kept their charge',
    check: 'no task is paid for twice',
    evidence: withJob({ tasks: [task, { ...task, id: 't2', createdAt: T0 + 5000, endedAt: T0 + 6000 }] }),
  },
  {
    when: 'two tasks were alive at once, one of them refunded later',
    check: 'no task is paid for twice',
    evidence: withJob({ tasks: [task, { ...task, id: 't2', status: 'failed', refunded: 10, createdAt: T0 + 500 }] }),
  },
  {
    when: 'a submit came after the end of the run',
    check: 'nothing is bought after the end',
    evidence: withJob({ submits: [{ ...submit, at: T0 + 4000 }] }),
  },
  { when: 'a task succeeded and its job failed', check: 'every paid result is kept', evidence: failed('upstream_failed') },
  {
    when: 'the object is not what the record says',
    check: 'what is stored is what upstream served',
    evidence: { ...good, objects: new Map([['k', 'bb']]) },
  },
  {
    when: 'the object is not what upstream served',
    check: 'what is stored is what upstream served',
    evidence: { ...good, served: new Map([['t1', 'bb']]) },
  },
  { when: 'an answered submit ended unknown', check: 'every submit_unknown is explained', evidence: endedUnknown() },
  {
    when: 'another submit was open at a kill',
    check: 'every submit_unknown is explained',
    evidence: { ...endedUnknown(), troubles: [open('job_other')] },
  },
  {
    when: 'a record says that more was charged than upstream took',
    check: 'what was charged is what upstream has taken',
    evidence: withRecord({ raw: { chg: '20' } }),
  },
  {
    when: 'upstream took more than a record knows',
    check: 'what was charged is what upstream has taken',
    evidence: withRecord({ raw: { unk: '9' } }),
  },
  {
    when: 'upstream took more of a tenant than its usage says',
    check: 'what was charged is what upstream has taken',
    evidence: { ...good, usage: { ...good.usage, acme: { credits: 0, reserved: 9 } } },
  },
  {
    when: 'upstream took more than the budget',
    check: 'no tenant is above its budget',
    evidence: withBudgets({ at: T0 - 2000, credits: 9 }),
  },
  {
    when: 'the budget was raised after the call',
    check: 'no tenant is above its budget',
    evidence: withBudgets({ at: T0 - 2000, credits: 9 }, { at: T0 + 1, credits: 10 }),
  },
  {
    when: 'a limit refused with a code that is not its own',
    check: 'limits refuse by their codes, and not once they are lifted',
    evidence: withJob({ answers: [refused(T0, 'budget_exceeded'), answer] }),
  },
  {
    when: 'a limit refused after it was lifted',
    check: 'limits refuse by their codes, and not once they are lifted',
    evidence: {
      ...withJob({ answers: [refused(T0 + 6000, 'rate_limited'), answer] }),
      limits: withBudgets({ at: T0, credits: 10 }).limits,
    },
  },
  {
    when: 'a run has two terminal events',
    check: 'one terminal event for each run',
    evidence: { ...good, events: [...good.events, { at: T0 + 9000, job: ID, seq: 4, type: 'job.failed' }] },
  },
  {
    when: 'an event is missing in the stream',
    check: 'one terminal event for each run',
    evidence: { ...good, events: good.events.filter((event) => event.seq !== 2) },
  },
  {
    when: 'an pending delivery never arrived',
    check: 'every pending delivery has arrived, and no other',
    evidence: { ...good, hooks: [], receivedEvents: new Set() },
  },
  {
    when: 'a webhook arrived that no job or batch sends',
    check: 'every pending delivery has arrived, and no other',
    evidence: { ...good, hooks: [...good.hooks, hook(EVENT.replace('_1_', '_2_'))] },
  },
  {
    when: 'a signature is wrong',
    check: 'every pending delivery has arrived, and no other',
    evidence: { ...good, hooks: [hook(EVENT, { signature: 'invalid' })] },
  },
  {
    when: 'a repair follows no kill',
    check: 'every repair is explained by a kill',
    evidence: withLine(repaired, [], { repairs: 1 }),
  },
  {
    when: 'the only kill was before the last event of the job',
    check: 'every repair is explained by a kill',
    evidence: withLine(repaired, [trouble('worker.kill', -10_000)], { repairs: 1 }),
  },
  {
    when: 'a calm run counted a repair',
    check: 'every repair is explained by a kill',
    evidence: { ...good, calm: true, counters: { repairs: 1 } },
  },
  {
    when: 'a stage threw',
    check: 'no unexpected error in the logs',
    evidence: withLine({ event: 'job.crashed', level: 'error' }),
  },
  {
    when: 'a 503 was said while Redis was there',
    check: 'no unexpected error in the logs',
    evidence: withLine({ event: 'http.request', level: 'error', status: 503 }),
  },
  {
    when: 'something was said on stderr',
    check: 'no unexpected error in the logs',
    evidence: withLine({ stream: 'stderr', raw: 'Unhandled rejection' }),
  },
  {
    when: 'a worker ended by itself',
    check: 'no process ended that nobody killed',
    evidence: { ...good, processes: [{ ...process_, unexpected: [{ at: T0, exit: { code: 1, signal: null }, tail: '' }] }] },
  },
  {
    when: 'the stop at the end was not clean',
    check: 'no process ended that nobody killed',
    evidence: { ...good, processes: [{ ...process_, lastExit: 1 }] },
  },
];

test('when all is well then no check complains', () => {
  expect(findings(good)).toEqual([]);
});

test.each(COMPLAINTS)('when $when then "$check" is the one that complains', ({ check, evidence }) => {
  expect(findings(evidence).map((finding) => finding.check)).toEqual([check]);
});

test('when a budget was raised before the call, or a limit refused before it was lifted, then no check complains', () => {
  expect(findings(withBudgets({ at: T0 - 2000, credits: 9 }, { at: T0 - 1000, credits: 10 }))).toEqual([]);
  expect(findings(withJob({ answers: [refused(T0, 'tenant_queue_full'), answer] }))).toEqual([]);
});

test('when a job still runs then the check of ends names it with its state', () => {
  const { 'every accepted job has ended': ends } = CHECKS;
  expect(ends?.(withRecord({ status: 'running', stage: 'generating' }))[0]).toContain(
    `${ID} [#1 task fail no fault] has not ended`,
  );
});

test.each([
  { when: 'its answer was cut', more: { submits: [{ ...submit, answered: false }] } },
  { when: 'its fault makes the answer unreadable', more: { planned: { ...planned, fault: { ...NO_FAULT, answer: 'lost' } } } },
] as const)('when a run ended submit_unknown and $when then no check complains', ({ more }) => {
  expect(findings(endedUnknown(more))).toEqual([]);
});

test('when a run ended submit_unknown and its call was open at a kill then no check complains', () => {
  expect(findings({ ...endedUnknown(), troubles: [open(ID)] })).toEqual([]);
});

test('when a repair follows a kill, and a 503 a dead Redis, then no check complains', () => {
  expect(findings(withLine(repaired, [trouble('worker.kill', 5000)], { repairs: 1 }))).toEqual([]);
  const away = { event: 'http.request', level: 'error', status: 503 };
  expect(findings(withLine(away, [trouble('redis.kill', 59_500)]))).toEqual([]);
});
