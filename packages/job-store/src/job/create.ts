import { type JobDoc, messageOf, newRecord, type Queued, type QueueMessage, TRANSITIONS } from '@grsai-jobs/jobs';
import { defineScript } from '../redis/define-script.ts';
import type { Keys } from '../redis/keys.ts';
import type { RunScript } from '../redis/scripts.ts';
import { type Allowance, allowanceFields, type Refused, refusedOf } from '../tenant/usage.ts';
import { type InputNote, noteText } from './input-notes.ts';
import { newRecordFields } from './record-codec.ts';

/** `late`: the request took so long that the inputs which it had stored are being deleted; there is no job. */
export type Created =
  | { kind: 'ok'; job: Queued; message: QueueMessage }
  | { kind: 'replay'; id: string }
  | { kind: 'conflict' }
  | { kind: 'late' }
  | Refused;

export interface Idempotency {
  route: string;
  key: string;
  fingerprint: string;
}

const createScript = defineScript({
  lua: new URL('./create.lua', import.meta.url),
  keys: ['job', 'due', 'events', 'turns', 'tenant_jobs', 'idempotency?', 'input_notes', 'usage'],
  args: ['order', 'doc', '...fields'],
  whenFull: TRANSITIONS.create.paid ? 'runs' : 'fails',
});

/** How long a key is known, of a job or a batch: longer than a job can live. */
export const IDEMPOTENCY_TTL_MS = 72 * 3600 * 1000;

export const createCreate =
  (run: RunScript, keys: Keys, clock: { now(): number }) =>
  /** The caller's request becomes a record, once for one idempotency key. */
  async (job: {
    id: string;
    tenant: string;
    doc: JobDoc;
    createdAt?: number;
    idempotency?: Idempotency;
    inputs?: InputNote;
    allowance?: Allowance;
  }): Promise<Created> => {
    const { id, tenant, doc, idempotency, inputs, allowance = {}, createdAt: now = clock.now() } = job;
    const { doc: packed, ...fields } = newRecordFields({ tenant, doc, createdAt: now });
    const order = {
      id,
      now,
      due: TRANSITIONS.create.due,
      tenant,
      idem: idempotency && { fingerprint: idempotency.fingerprint, ttl_ms: IDEMPOTENCY_TTL_MS },
      note: inputs && noteText(inputs),
      use: { redis: fields.use, stored: fields.obj ?? 0, live: 1 },
      ...allowanceFields(allowance),
    };
    const reply = (await run(
      createScript,
      {
        job: keys.job(id),
        due: keys.due,
        events: keys.events,
        turns: keys.turns,
        tenant_jobs: keys.tenantJobs(tenant),
        idempotency: idempotency ? keys.idempotency(tenant, idempotency.route, idempotency.key) : null,
        input_notes: keys.inputNotes,
        usage: keys.usage,
      },
      { order: JSON.stringify(order), doc: packed, fields: Object.entries(fields).flat() },
    )) as [string, unknown];
    if (reply[0] === 'ok') {
      const queued = newRecord({ id, tenant, doc, createdAt: now, turn: Number(reply[1]) });
      return { kind: 'ok', job: queued, message: messageOf(queued) };
    }
    const refused = refusedOf(reply);
    if (refused !== null) return refused;
    return reply[0] === 'replay' ? { kind: 'replay', id: String(reply[1]) } : { kind: reply[0] === 'late' ? 'late' : 'conflict' };
  };
