import type { Delivery, DeliveryAttempt, Stage, Status } from '@grsai-jobs/jobs';
import { type Fields, json, number, optionalNumber } from '@grsai-jobs/redis';

/** A delivery as its hash in Redis has it; the names of the fields stand in `attempts.lua`. */
export function decodeDelivery(fields: Fields): Delivery {
  return {
    id: fields['id'] ?? '',
    tenant: fields['tenant'] ?? '',
    job_id: fields['job_id'] || null,
    batch_id: fields['batch_id'] || null,
    run: number(fields['run']),
    type: fields['type'] ?? '',
    url: fields['url'] ?? '',
    state: (fields['state'] ?? 'pending') as Delivery['state'],
    step: number(fields['step']),
    sequence: optionalNumber(fields['seq']),
    snapshot: fields['as']
      ? {
          status: fields['as'] as Status,
          stage: (fields['asg'] || null) as Stage | null,
          progress: number(fields['aprog']),
        }
      : null,
    once: (fields['once'] || null) as Delivery['once'],
    extra: number(fields['extra']),
    asked: fields['asked'] === '1',
    attempts: json<DeliveryAttempt[]>(fields['att']) ?? [],
    attempts_made: number(fields['made']),
    created_at: number(fields['created']),
    next_attempt_at: optionalNumber(fields['next']),
  };
}
