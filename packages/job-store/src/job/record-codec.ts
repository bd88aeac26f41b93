import {
  entryStage,
  type Job,
  type JobDoc,
  type JobError,
  type JobRecord,
  jobOf,
  type PastRun,
  type Stage,
  type Status,
  signatureOf,
  type UpstreamTask,
} from '@grsai-jobs/jobs';
import { type Fields, json, number, optionalNumber } from '../redis/fields.ts';
import { useOf } from '../tenant/usage.ts';
import { packDoc, unpackDoc } from './doc-codec.ts';

/**
 * How a record stands in Redis: a hash with short names and short values, since 50 000 of them wait at a time, and beside it the strings
 * `doc`, `out` and `att` under keys of their own (redis/record.lua). Read whole, the three stand among the fields.
 *
 * st status · sg stage · run · step · seq · ver · tn turn · tok/at token and time of the last transition · sb/sa/su token, start and end of the lease ·
 * q queue of its paid call · tenant · cr/started/fin/exp times · due · prog · spent attempts_used, in a field whose name is older · crashes · base · task · sub submitted · polls · polled ·
 * doc (as accepted) · inp its input is in the object store · use/obj bytes in Redis, in the object store as counted for its tenant · pend (paid, not stored) · out · err · att · past:<run> · whd/whs last delivery and its state ·
 * batch · cid custom id · ln line · pr priority (of a batch's job, when not normal) · late ·
 * era its erasing has begun ·
 * whp when its progress was last reported by webhook · sig of a failed run: signature, type, model
 */
export type RecordField =
  | 'prog'
  | 'spent'
  | 'crashes'
  | 'base'
  | 'task'
  | 'sub'
  | 'polls'
  | 'polled'
  | 'pend'
  | 'out'
  | 'err'
  | 'sig'
  | 'att'
  | 'fin'
  | 'exp'
  | 'late'
  | 'run'
  | 'sb'
  | 'sa'
  | 'su'
  | `past:${number}`;

/** What a new record starts with. */
export const newRecordFields = (job: { tenant: string; doc: JobDoc; createdAt: number }) => ({
  ...sharedFields(job),
  ...ownFields(job),
});

/** The part that all records have which a tenant makes at one time. */
export const sharedFields = (job: { tenant: string; createdAt: number }) => ({
  st: 'queued',
  run: 1,
  step: 1,
  tenant: job.tenant,
  cr: job.createdAt,
});

/** The part that comes from what was asked for. */
export const ownFields = ({ doc, createdAt }: { doc: JobDoc; createdAt: number }) => {
  const packed = packDoc(doc);
  const { redis, stored } = useOf(doc, packed);
  return {
    q: entryStage(doc),
    exp: createdAt + doc.expires_in_s * 1000,
    doc: packed,
    use: redis,
    ...(stored === 0 ? {} : { obj: stored }),
    ...(doc.stored_input === undefined ? {} : { inp: 1 }),
  };
};

function pastOf(fields: Fields): Record<number, PastRun> {
  const past: Record<number, PastRun> = {};
  for (const [name, text] of Object.entries(fields)) {
    if (name.startsWith('past:')) past[Number(name.slice(5))] = JSON.parse(text) as PastRun;
  }
  return past;
}

const taskOf = (fields: Fields): UpstreamTask | null =>
  fields['task'] && fields['base']
    ? {
        base: fields['base'],
        id: fields['task'],
        submitted_at: number(fields['sub']),
        polls: number(fields['polls']),
        last_polled_at: optionalNumber(fields['polled']),
      }
    : null;

/** @throws when a part is missing that its state cannot be without. */
export function decodeRecord(id: string, fields: Fields): Job {
  return jobOf({
    id,
    tenant: fields['tenant'] ?? '',
    status: fields['st'] as Status,
    stage: (fields['sg'] || null) as Stage | null,
    run: number(fields['run']),
    step: number(fields['step']),
    seq: number(fields['seq']),
    turn: number(fields['tn']),
    ver: optionalNumber(fields['ver']) ?? 1,
    doc: unpackDoc(fields['doc'] ?? '{}'),
    created_at: number(fields['cr']),
    started_at: optionalNumber(fields['started']),
    finished_at: optionalNumber(fields['fin']),
    expires_at: number(fields['exp']),
    due: optionalNumber(fields['due']),
    progress: number(fields['prog']),
    attempts_used: number(fields['spent']),
    crashes: number(fields['crashes']),
    lease: fields['sb'] ? { token: fields['sb'], acquired_at: number(fields['sa']), expires_at: number(fields['su']) } : null,
    task: taskOf(fields),
    unstored: json(fields['pend']),
    output: json(fields['out']),
    error: json(fields['err']),
    attempts: json(fields['att']) ?? [],
    past: pastOf(fields),
    webhook: {
      state: (fields['whs'] || 'none') as JobRecord['webhook']['state'],
      last_delivery_id: fields['whd'] || null,
    },
    batch_id: fields['batch'] || null,
    custom_id: fields['cid'] || null,
    line: optionalNumber(fields['ln']),
    late_result: fields['late'] === '1',
    erasing: fields['era'] === '1',
  });
}

/** What groups of failures are made from, as one short text: so that none of them has to read a whole record. */
export const signatureField = (error: JobError, doc: JobDoc): string => `${signatureOf(error).id} ${doc.type} ${doc.input.model}`;

export function signatureIn(text: string): { id: string; type: JobDoc['type']; model: string } {
  const [id = '', type, ...model] = text.split(' ');
  return { id, type: type as JobDoc['type'], model: model.join(' ') };
}
