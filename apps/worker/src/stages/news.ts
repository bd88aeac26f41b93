import type { JobDoc, JobRecord } from '@grsai-jobs/jobs';
import type { Kit } from './kit.ts';

type News = { type: 'job.started' } | { type: 'job.progress'; percent: number };

/**
 * Tells a caller who asked for it how a live job gets on. No more than news: nobody waits for it, one that cannot be
 * written is let go, and for everybody else it costs nothing.
 */
export function tellNews(
  kit: Pick<Kit, 'store' | 'producer' | 'clock' | 'log'>,
  job: Pick<JobRecord, 'id' | 'tenant' | 'run'> & { webhook: JobDoc['webhook'] },
  news: News,
): void {
  const { id, tenant, run, webhook } = job;
  if (!webhook?.events.includes(news.type)) return;
  const tell = async () => {
    const entry = await kit.store.deliveries.report({ id, tenant, run, url: webhook.url }, news, kit.clock.now());
    if (entry !== null) await kit.producer.enqueueDelivery(entry);
  };
  tell().catch((err: unknown) => {
    kit.log.warn({ event: 'webhook.not_told', err, job_id: id, type: news.type }, 'news of a job were not told');
  });
}
