import type { Batches, FileBatch, FileBatchError, FileBatches, Files, StoredFile } from '@grsai-jobs/job-store';
import { BATCH_ID, type BatchRecord, batchId, FILE_ID, fileId, isBatchEnd } from '@grsai-jobs/jobs';

/** Batches that are made of files, with the files that they put out. */

/** How a batch fares that is made of a file; `batch` is there once all lines were found right. */
export interface FileBatchState {
  record: FileBatch;
  batch: BatchRecord | null;
  status: FileBatchStatus;
  errors: readonly FileBatchError[] | null;
}

type FileBatchStatus =
  | 'validating'
  | 'failed'
  | 'in_progress'
  | 'finalizing'
  | 'cancelling'
  | 'completed'
  | 'cancelled'
  | 'expired';

/** What a batch puts out. */
const OUTPUTS = ['output', 'errors'] as const;
export type Output = (typeof OUTPUTS)[number];

/** A file as it is listed: one that was uploaded, or one that a batch puts out, whose content is made as it is read. */
export type ListedFile = { kind: 'stored'; file: StoredFile } | { kind: 'output'; of: FileBatchState; output: Output };

const ENDS = { completed: 'completed', canceled: 'cancelled', expired: 'expired' } as const;

const INTERRUPTED: FileBatchError = {
  code: 'validation_interrupted',
  line: null,
  message: 'The lines were not read to their end, since a process of the service ended. Nothing runs; make the batch again.',
  param: null,
};

const ulidOf = (id: string): string => id.replace(/^(?:file-|batch_)/, '').slice(0, 26);

/** The id of what a batch puts out. */
export const outputFileId = (id: string, output: Output): string => `${fileId(ulidOf(id))}-${output}`;

/** Whether there is something in what a batch puts out. */
export function hasOutput({ record, batch }: FileBatchState, output: Output): boolean {
  if (batch === null || !isBatchEnd(batch.status) || record.deleted.includes(output)) return false;
  const { succeeded, failed, canceled, expired } = batch.counts;
  return (output === 'output' ? succeeded : failed + canceled + expired) > 0;
}

/** When it can be read no more, in ms since 1970; `null`: as long as the batch is known. */
export const outputExpiresAt = ({ record, batch }: FileBatchState): number | null =>
  record.output_expires_s === null || batch === null || batch.finished_at === null
    ? null
    : batch.finished_at + record.output_expires_s * 1000;

interface Page {
  after?: string | undefined;
  order: 'asc' | 'desc';
  limit: number;
}

export type FileBatchReads = ReturnType<typeof createFileBatchReads>;

/** What callers read of their files and batches. All is `null` that is another tenant's. */
export function createFileBatchReads(o: {
  files: Pick<Files, 'read' | 'page'>;
  fileBatches: Pick<FileBatches, 'read' | 'ids'>;
  batches: Pick<Batches, 'read'>;
  clock: { now(): number };
}) {
  function statusOf(record: FileBatch, batch: BatchRecord | null): FileBatchStatus {
    if (record.errors !== null) return 'failed';
    if (batch === null || batch.status === 'validating') return o.clock.now() < record.validates_until ? 'validating' : 'failed';
    if (isBatchEnd(batch.status)) return ENDS[batch.status];
    if (batch.status === 'canceling') return 'cancelling';
    return batch.counts.queued + batch.counts.running === 0 ? 'finalizing' : 'in_progress';
  }

  async function readBatch(tenant: string, id: string): Promise<FileBatchState | null> {
    const record = BATCH_ID.test(id) ? await o.fileBatches.read(id) : null;
    if (record === null || record.tenant !== tenant) return null;
    const batch = await o.batches.read(id);
    const status = statusOf(record, batch);
    return { record, batch, status, errors: record.errors ?? (status === 'failed' ? [INTERRUPTED] : null) };
  }

  /** A part of a page more than was asked for says that there is another. */
  const cut = <T>(found: readonly T[], limit: number) => ({ found: found.slice(0, limit), more: found.length > limit });

  async function outputsOf(tenant: string, id: string): Promise<ListedFile[]> {
    const of = await readBatch(tenant, id);
    if (of === null) return [];
    const now = o.clock.now();
    return OUTPUTS.filter((output) => hasOutput(of, output) && (outputExpiresAt(of) ?? now + 1) > now).map((output) => ({
      kind: 'output',
      of,
      output,
    }));
  }

  const idOf = (file: ListedFile): string =>
    file.kind === 'stored' ? file.file.id : outputFileId(file.of.record.id, file.output);

  /** Files that batches put out, from behind `after` on. */
  async function outputs(tenant: string, { after, order, limit }: Page): Promise<ListedFile[]> {
    const found: ListedFile[] = [];
    // Of the batch at the border some may be left: it is asked for as well.
    let behind = after === undefined ? undefined : borderOf(after, order);
    while (found.length < limit) {
      const ids = await o.fileBatches.ids(tenant, { after: behind, order, limit: BATCHES_AT_ONCE });
      for (const files of await Promise.all(ids.map((id) => outputsOf(tenant, id))))
        found.push(...sorted(files, order).filter((file) => after === undefined || isBehind(idOf(file), after, order)));
      if (ids.length < BATCHES_AT_ONCE) break;
      behind = ids.at(-1);
    }
    return found;
  }

  const sorted = (files: readonly ListedFile[], order: Page['order']): ListedFile[] =>
    files.toSorted((a, b) => (isBehind(idOf(a), idOf(b), order) ? 1 : -1));

  return {
    readBatch,
    idOf,

    /** The newest first. */
    async listBatches(tenant: string, { after, limit }: Omit<Page, 'order'>) {
      const ids = cut(await o.fileBatches.ids(tenant, { after, order: 'desc', limit: limit + 1 }), limit);
      const found = await Promise.all(ids.found.map((id) => readBatch(tenant, id)));
      return { batches: found.filter((each) => each !== null), more: ids.more };
    },

    async readFile(tenant: string, id: string): Promise<ListedFile | null> {
      const [, ulid, output] = FILE_ID.exec(id) ?? [];
      if (ulid === undefined) return null;
      if (output !== undefined)
        return (await outputsOf(tenant, batchId(ulid))).find((each) => each.kind === 'output' && each.output === output) ?? null;
      const file = await o.files.read(id);
      return file === null || file.tenant !== tenant || file.expires_at <= o.clock.now() ? null : { kind: 'stored', file };
    },

    /** Of both kinds, or of one of them. */
    async listFiles(tenant: string, page: Page & { kind?: ListedFile['kind'] | undefined }) {
      const { kind, limit, order } = page;
      const asked = { after: page.after, order, limit: limit + 1 };
      const [stored, put] = await Promise.all([
        kind === 'output' ? [] : o.files.page(tenant, asked),
        kind === 'stored' ? [] : outputs(tenant, asked),
      ]);
      const all = [...stored.map((file): ListedFile => ({ kind: 'stored', file })), ...put];
      const { found, more } = cut(sorted(all, order), limit);
      return { files: found, more };
    },
  };
}

const BATCHES_AT_ONCE = 100;

const isBehind = (id: string, after: string, order: Page['order']): boolean => (order === 'asc' ? id > after : id < after);

/** What the batches of files behind `after` are behind of themselves: the batch of the same ULID is one of them. */
function borderOf(after: string, order: Page['order']): string {
  const id = batchId(ulidOf(after));
  // `~` is behind every letter of a ULID.
  return order === 'asc' ? id.slice(0, -1) : `${id}~`;
}
