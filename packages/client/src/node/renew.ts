import { NotFoundError } from '../errors.ts';
import { imagesOf } from '../results.ts';
import type { ChatFile, Job } from '../types.ts';
import type { Downloader, StoredFile } from './download.ts';

/** The same file with a link that is signed now: its job or batch is read again. */
export async function renewed({ jobs, batches }: Downloader, file: StoredFile, signal: AbortSignal): Promise<StoredFile> {
  const owner = /(?:job|batch)_[0-9A-Z]+(?=\/[^/]*$)/.exec(file.key)?.[0];
  const now =
    owner === undefined
      ? []
      : owner.startsWith('job_')
        ? filesOf(await jobs.get(owner, { signal }))
        : [(await batches.get(owner, { signal })).results_file];
  const found = now.find((each) => each?.key === file.key);
  if (found) return found;
  throw new NotFoundError({
    code: 'file_gone',
    detail: `${file.key} is no file of ${owner ?? 'a job or batch'} any more: it ran again, or was deleted.`,
  });
}

function filesOf(job: Job): StoredFile[] {
  const { result } = job;
  return result && 'key' in result ? [result as ChatFile] : imagesOf(job);
}
