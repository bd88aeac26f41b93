import { type BatchCounts, type BatchDoc, type BatchRecord, type BatchResults, type BatchRound, COUNTED } from '@grsai-jobs/jobs';
import { type Fields, json, number, optionalNumber } from '@grsai-jobs/redis';

/**
 * How a batch stands in Redis: one hash.
 *
 * st status · tenant · doc · cr/exp/fin times · cx when it was asked to be canceled, until the next retry · rk rt the Idempotency-Key of the last retry, and what it was answered · round · total ·
 * last line · n:<status> counts · unknown · chg rfd rsv what its jobs cost, gave back and have set aside · est some of it is a guess · invalid · res results file · past:<round> · whd/whs last delivery and its state
 */
export function newBatchFields(batch: { tenant: string; doc: BatchDoc; createdAt: number }): Record<string, string | number> {
  return {
    tenant: batch.tenant,
    doc: JSON.stringify(batch.doc),
    cr: batch.createdAt,
    exp: batch.createdAt + batch.doc.expires_in_s * 1000,
  };
}

const countsOf = (fields: Fields): BatchCounts => ({
  total: number(fields['total']),
  ...(Object.fromEntries(COUNTED.map((status) => [status, number(fields[`n:${status}`])])) as Omit<BatchCounts, 'total'>),
});

function pastOf(fields: Fields): Record<number, BatchRound> {
  const past: Record<number, BatchRound> = {};
  for (const [name, text] of Object.entries(fields)) {
    if (name.startsWith('past:')) past[Number(name.slice(5))] = JSON.parse(text) as BatchRound;
  }
  return past;
}

export function decodeBatch(id: string, fields: Fields): BatchRecord {
  return {
    id,
    tenant: fields['tenant'] ?? '',
    status: fields['st'] as BatchRecord['status'],
    counts: countsOf(fields),
    unknown: number(fields['unknown']),
    round: number(fields['round']),
    doc: JSON.parse(fields['doc'] ?? 'null') as BatchDoc,
    invalid: number(fields['invalid']),
    cost: {
      charged: optionalNumber(fields['chg']),
      refunded: optionalNumber(fields['rfd']),
      reserved: optionalNumber(fields['rsv']),
      isGuess: number(fields['est']) > 0,
    },
    passed_over: Math.max(0, number(fields['last']) - number(fields['total'])),
    created_at: number(fields['cr']),
    finished_at: optionalNumber(fields['fin']),
    expires_at: number(fields['exp']),
    results: json<BatchResults>(fields['res']),
    past: pastOf(fields),
    webhook: {
      state: (fields['whs'] || 'none') as BatchRecord['webhook']['state'],
      last_delivery_id: fields['whd'] || null,
    },
  };
}
