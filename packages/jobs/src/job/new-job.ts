import { NO_COST } from '../cost/cost.ts';
import type { JobPrice } from '../cost/price.ts';
import type { JobDoc } from '../doc.ts';
import type { Queued } from './job.ts';

/** A job as it stands right after it was accepted. */
export const newRecord = (o: {
  id: string;
  tenant: string;
  doc: JobDoc;
  createdAt: number;
  turn: number;
  price?: JobPrice | null;
  keyId?: string | null;
}): Queued => ({
  id: o.id,
  tenant: o.tenant,
  status: 'queued',
  stage: null,
  run: 1,
  step: 1,
  seq: 1,
  turn: o.turn,
  ver: 1,
  doc: o.doc,
  created_at: o.createdAt,
  started_at: null,
  finished_at: null,
  expires_at: o.createdAt + o.doc.expires_in_s * 1000,
  due: null,
  progress: 0,
  attempts_used: 0,
  crashes: 0,
  lease: null,
  task: null,
  unstored: null,
  output: null,
  error: null,
  attempts: [],
  past: {},
  webhook: { state: 'none', last_delivery_id: null },
  batch_id: null,
  custom_id: null,
  line: null,
  late_result: false,
  erasing: false,
  price: o.price ?? null,
  cost: NO_COST,
  key_id: o.price ? (o.keyId ?? null) : null,
});
