import {
  type JobDoc,
  type JobPrice,
  messageOf,
  newRecord,
  type Queued,
  type QueueMessage,
  TRANSITIONS,
  waitsInRoom,
} from '@grsai-jobs/jobs';
import { defineScript, type RunScript } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';
import { ROOM_LUA } from '../room/rooms.ts';
import { type Allowance, allowanceFields, type Refused, refusedOf } from '../tenant/usage.ts';
import { type InputNote, noteText } from './input-notes.ts';
import { newRecordFields } from './record-codec.ts';

/** `late`: the request took so long that the inputs which it had stored are being deleted; there is no job. */
export type Created =
  /** `message`: its queue entry; `null`: it waits in the room of its tenant, and gets one when it is let in. */
  | { kind: 'ok'; job: Queued; message: QueueMessage | null }
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
  keys: ['job', 'due', 'events', 'turns', 'inflight', 'waiting', 'tenant_jobs', 'idempotency?', 'input_notes', 'usage', 'spent'],
  args: ['order', 'doc', '...fields'],
  shared: [ROOM_LUA],
  whenFull: TRANSITIONS.create.paid ? 'runs' : 'fails',
  lasts: true,
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
    /** What a call of it costs; `null` or left out: nobody knows. */
    price?: JobPrice | null;
    /** The API key that sent it. */
    keyId?: string | null;
    createdAt?: number;
    idempotency?: Idempotency;
    inputs?: InputNote;
    allowance?: Allowance;
  }): Promise<Created> => {
    const { id, tenant, doc, price, keyId, idempotency, inputs, allowance = {}, createdAt: now = clock.now() } = job;
    const { doc: packed, ...fields } = newRecordFields({ tenant, doc, price, keyId, createdAt: now });
    const order = {
      id,
      now,
      due: TRANSITIONS.create.due,
      exp: fields.exp,
      queue: fields.q,
      priority: doc.priority,
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
        inflight: keys.inflight,
        waiting: keys.waiting,
        tenant_jobs: keys.tenantJobs(tenant),
        idempotency: idempotency ? keys.idempotency(tenant, idempotency.route, idempotency.key) : null,
        input_notes: keys.inputNotes,
        usage: keys.usage,
        spent: keys.spent,
      },
      { order: JSON.stringify(order), doc: packed, fields: Object.entries(fields).flat() },
    )) as [string, unknown];
    if (reply[0] === 'ok') {
      const queued = newRecord({
        id,
        tenant,
        doc,
        price: price ?? null,
        keyId: keyId ?? null,
        createdAt: now,
        turn: Number(reply[1]),
      });
      return { kind: 'ok', job: queued, message: waitsInRoom(queued) ? null : messageOf(queued) };
    }
    const refused = refusedOf(reply);
    if (refused !== null) return refused;
    return reply[0] === 'replay' ? { kind: 'replay', id: String(reply[1]) } : { kind: reply[0] === 'late' ? 'late' : 'conflict' };
  };
