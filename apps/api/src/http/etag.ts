import { createHash } from 'node:crypto';
import type { JobRecord, Waiting } from '@grsai-jobs/jobs';

/** Links of a result are signed afresh in each answer, so an answer that is kept is believed for half of their life. */
const linksOf = (job: JobRecord, now: number): number => (hasLinks(job) ? Math.floor(now / (job.doc.output.url_ttl_s * 500)) : 0);

/** Whether an answer about this job holds links. */
export const hasLinks = ({ output }: JobRecord): boolean => output !== null && output.kind !== 'chat';

/**
 * The version of a job as callers see it. Weak, since links differ between two answers of one version. It changes with
 * each transition, each webhook attempt that changes the state, and at least every half of `url_ttl_s` while there are links, and with the
 * credentials that sign them: `signsUntil`, when those end. While it waits it changes with the reason and the place in line.
 */
export function etagOf(
  job: JobRecord,
  now: number,
  { signsUntil = null, waiting }: { signsUntil?: number | null; waiting?: Waiting | undefined } = {},
): string {
  const seen = [
    ...[job.run, job.seq, job.step, job.status, job.ver, job.attempts.length, job.attempts.at(-1)?.ended_at],
    ...[job.webhook.state, job.webhook.last_delivery_id, linksOf(job, now), signsUntil],
    ...(waiting ? [waiting.reason, waiting.since, waiting.position] : []),
  ];
  return `W/"${createHash('sha1').update(JSON.stringify(seen)).digest('base64url').slice(0, 20)}"`;
}

const opaque = (tag: string): string => tag.trim().replace(/^W\//, '');

/** Whether `If-None-Match` names this version, by weak comparison (RFC 9110 §13.1.2). */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || header.split(',').some((tag) => opaque(tag) === opaque(etag));
}
