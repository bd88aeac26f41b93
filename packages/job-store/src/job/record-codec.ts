import {
  entryStage,
  type Job,
  type JobCost,
  type JobDoc,
  type JobError,
  type JobPrice,
  type JobRecord,
  jobOf,
  onModel,
  type PastRun,
  type Stage,
  type Status,
  signatureOf,
  type UpstreamTask,
} from '@grsai-jobs/jobs';
import { type Fields, json, number, optionalNumber } from '@grsai-jobs/redis';
import { useOf } from '../tenant/usage.ts';
import { packDoc, unpackDoc } from './doc-codec.ts';

/**
 * How a record stands in Redis: a hash with short names and short values, since 50 000 of them wait at a time, and beside it the strings
 * `doc`, `out` and `att` under keys of their own (record.lua). Read whole, the three stand among the fields.
 *
 * st status · sg stage · run · step · seq · ver · tn turn · tok/at token and time of the last transition · sb/sa/su token, start and end of the lease ·
 * q queue of its paid call · tenant · cr/started/fin/exp times · due · prog · spent attempts_used, in a field whose name is older · crashes · base · task · sub submitted · polls · polled ·
 * doc (as accepted) · inp its input is in the object store · use/obj bytes in Redis, in the object store as counted for its tenant · pend (paid, not stored) · out · err · att · past:<run> · whd/whs last delivery and its state ·
 * batch · cid custom id · ln line · pr priority (when not normal) · late ·
 * fm which of its fallback models it goes on with, from 1 ·
 * era its erasing has begun ·
 * px credits that a call of it sets aside · pt other terms of its price · mdl ky model and API key that it is booked under ·
 * rsv rd set aside for its open call, and on which day · chg unk rfd what its calls
 * cost, may have cost, and gave back · est some of it is a guess ·
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
  | 'fm'
  | 'px'
  | 'pt'
  | 'mdl'
  | 'run'
  | 'sb'
  | 'sa'
  | 'su'
  | `past:${number}`;

/** What a new record starts with. */
export const newRecordFields = (job: {
  tenant: string;
  doc: JobDoc;
  createdAt: number;
  price?: JobPrice | null | undefined;
  keyId?: string | null | undefined;
}) => ({
  ...sharedFields(job),
  ...ownFields(job),
  ...(job.doc.priority === 'normal' ? {} : { pr: job.doc.priority }),
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
export interface OwnFields {
  q: string;
  exp: number;
  doc: string;
  use: number;
  obj?: number;
  inp?: number;
  px?: number;
  pt?: string;
  mdl?: string;
  ky?: string;
}

export function ownFields({
  doc,
  createdAt,
  price,
  keyId,
}: {
  doc: JobDoc;
  createdAt: number;
  price?: JobPrice | null | undefined;
  keyId?: string | null | undefined;
}): OwnFields {
  const packed = packDoc(doc);
  const { redis, stored } = useOf(doc, packed);
  const fields: OwnFields = { q: entryStage(doc), exp: createdAt + doc.expires_in_s * 1000, doc: packed, use: redis };
  if (stored !== 0) fields.obj = stored;
  if (doc.stored_input !== undefined) fields.inp = 1;
  if (!price) return fields;
  Object.assign(fields, priceFields(price));
  fields.mdl = doc.input.model;
  if (keyId) fields.ky = keyId;
  return fields;
}

/** The usual terms, credits of failed work come back and those of violations do not, are an empty text and so no field. */
export function priceFields({ reserve, tokens, refunds, isOld }: JobPrice): { px: number; pt?: string } {
  const marks = `${refunds.error ? '' : '!'}${refunds.violation ? '+' : ''}${isOld ? '~' : ''}`;
  const terms = `${marks}${tokens === undefined ? '' : `${tokens.input}/${tokens.output}`}`;
  return { px: reserve, ...(terms === '' ? {} : { pt: terms }) };
}

function priceIn({ px, pt = '' }: Fields): JobPrice | null {
  if (px === undefined) return null;
  const [input, output] = pt.replace(/^[!+~]*/, '').split('/');
  return {
    reserve: Number(px),
    ...(output === undefined ? {} : { tokens: { input: Number(input), output: Number(output) } }),
    refunds: { error: !pt.includes('!'), violation: pt.includes('+') },
    isOld: pt.includes('~'),
  };
}

const costIn = ({ chg, rfd, rsv, unk, est }: Fields): JobCost => ({
  charged: optionalNumber(chg),
  refunded: optionalNumber(rfd),
  open: optionalNumber(rsv),
  unknown: number(unk),
  isGuess: est === '1',
});

function pastOf(fields: Fields): Record<number, PastRun> {
  const past: Record<number, PastRun> = {};
  for (const name in fields)
    if (name.startsWith('past:')) past[Number(name.slice(5))] = JSON.parse(fields[name] ?? '') as PastRun;
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
    doc: onModel(unpackDoc(fields['doc'] ?? '{}'), number(fields['fm'])),
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
    price: priceIn(fields),
    cost: costIn(fields),
    key_id: fields['ky'] ?? null,
  });
}

/** What groups of failures are made from, as one short text: so that none of them has to read a whole record. */
export const signatureField = (error: JobError, doc: JobDoc): string => `${signatureOf(error).id} ${doc.type} ${doc.input.model}`;

export function signatureIn(text: string): { id: string; type: JobDoc['type']; model: string } {
  const [id = '', type, ...model] = text.split(' ');
  return { id, type: type as JobDoc['type'], model: model.join(' ') };
}
