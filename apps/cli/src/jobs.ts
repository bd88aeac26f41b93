import type { JobView, LostOutput } from '@grsai-jobs/jobs';

/** A job as the API answers it. */
export type Job = JobView;

export interface Image {
  index: number;
  url: string;
  content_type: string;
  bytes: number;
  width: number | null;
  height: number | null;
  sha256: string;
}

/** Outputs that could not be kept, beside those that are. */
export const lostOf = (job: Pick<Job, 'result'>): LostOutput[] => (job.result as { lost?: LostOutput[] } | null)?.lost ?? [];

/** The images of a job that has some. */
export const imagesOf = (job: Pick<Job, 'result'>): Image[] => (job.result as { images?: Image[] } | null)?.images ?? [];

/** The text of a chat answer, of a list of parts those that are text; nothing for large answers, which stand behind a link. */
export function chatTextOf(job: Pick<Job, 'result'>): string | undefined {
  const completion = job.result as { choices?: ({ message?: { content?: unknown } | null } | null)[] } | null;
  const content = completion?.choices?.[0]?.message?.content;
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  const texts = content.map((part: { text?: unknown } | null) => part?.text).filter((text) => typeof text === 'string');
  return texts.length > 0 ? texts.join('') : undefined;
}

/** The link of a chat answer that was too large for the record. */
export const chatLinkOf = (job: Pick<Job, 'result'>): string | undefined => (job.result as { url?: string } | null)?.url;

export const jobPath = (id: string): string => `/v1/jobs/${encodeURIComponent(id)}`;
