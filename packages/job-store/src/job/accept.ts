import { type JobDoc, MOVES } from '@grsai-jobs/jobs';
import type { Keys } from '../redis/keys.ts';
import type { RunScript } from '../redis/scripts.ts';
import { type Allowance, allowanceFields, type Refused, refusedOf } from '../tenant/usage.ts';
import { type InputNote, noteText } from './input-notes.ts';
import { newRecordFields } from './record-codec.ts';

/** `late`: the request took so long that the inputs which it had stored are being deleted; there is no job. */
export type Accepted =
  | { kind: 'ok'; turn: number }
  | { kind: 'replay'; id: string }
  | { kind: 'conflict' }
  | { kind: 'late' }
  | Refused;

export interface Idempotency {
  route: string;
  key: string;
  fingerprint: string;
}

/** How long a key is known, of a job or a batch: longer than a job can live (design §3). */
export const IDEMPOTENCY_TTL_MS = 72 * 3600 * 1000;

export const createAccept =
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
  }): Promise<Accepted> => {
    const { id, tenant, doc, idempotency, inputs, allowance = {}, createdAt: now = clock.now() } = job;
    const fields = newRecordFields({ tenant, doc, createdAt: now });
    const order = {
      id,
      now,
      due: now + MOVES.accept.dueMs,
      tenant,
      idem: idempotency && { fingerprint: idempotency.fingerprint, ttl_ms: IDEMPOTENCY_TTL_MS },
      note: inputs && noteText(inputs),
      use: { redis: fields['use'], stored: fields['obj'] ?? 0, live: 1 },
      ...allowanceFields(allowance),
    };
    const reply = (await run(
      'accept',
      [
        keys.job(id),
        keys.due,
        keys.events,
        keys.turns,
        keys.tenantJobs(tenant),
        idempotency ? keys.idempotency(tenant, idempotency.route, idempotency.key) : keys.job(id),
        keys.inputNotes,
        keys.usage,
      ],
      [JSON.stringify(order), ...Object.entries(fields).flat()],
    )) as [string, unknown];
    if (reply[0] === 'ok') return { kind: 'ok', turn: Number(reply[1]) };
    const refused = refusedOf(reply);
    if (refused !== null) return refused;
    return reply[0] === 'replay' ? { kind: 'replay', id: String(reply[1]) } : { kind: reply[0] === 'late' ? 'late' : 'conflict' };
  };
