import type { FileBatches } from '@grsai-jobs/job-store';
import { FILE_ID } from '@grsai-jobs/jobs';
import { type ObjectStore, ObjectStoreError } from '@grsai-jobs/object-store';
import type { Response } from 'express';
import { z } from 'zod';
import { principalOf } from '../../http/auth.ts';
import type { BodyBudget } from '../../http/body-budget.ts';
import type { KeyEnds } from '../../http/key-ends.ts';
import { single } from '../../http/list-query.ts';
import { readFileForm } from '../../http/multipart-file.ts';
import { Problem } from '../../http/problem.ts';
import { FILE_REFUSALS, orProblem } from '../../http/refusals.ts';
import { served } from '../../http/route.ts';
import { sendPieces } from '../../http/send-pieces.ts';
import { validate } from '../../http/validate.ts';
import { type FileBatchReads, type ListedFile, outputExpiresAt } from '../../use-cases/file-batches.ts';
import type { FileUseCases } from '../../use-cases/files.ts';
import { type BatchOutputDeps, outputPieces } from './batch-output.ts';
import { checkBeforeFile, FILE_FORM, PURPOSE, readFileFields } from './file-form.ts';

interface FileDeps {
  files: FileUseCases;
  fileReads: FileBatchReads;
  budget: BodyBudget;
}

/** What a file on its way to the store holds in memory: a part of 5 MiB, and what stands before it. */
const HELD_BYTES = 6 * 1024 * 1024;
/** How long the store may take to the first byte of a file. */
const TO_FIRST_BYTE_MS = 10_000;

const seconds = (ms: number): number => Math.floor(ms / 1000);

/** A file as OpenAI describes one. */
function viewFile(listed: ListedFile, id: string) {
  const shared = { id, object: 'file' as const, status: 'processed' as const };
  if (listed.kind === 'stored') {
    const { bytes, created_at, expires_at, name } = listed.file;
    return {
      ...shared,
      bytes,
      created_at: seconds(created_at),
      expires_at: seconds(expires_at),
      filename: name,
      purpose: PURPOSE,
    };
  }
  const { of, output } = listed;
  const expires = outputExpiresAt(of);
  return {
    ...shared,
    bytes: of.batch?.results?.bytes ?? 0,
    created_at: seconds(of.batch?.finished_at ?? of.record.created_at),
    ...(expires === null ? {} : { expires_at: seconds(expires) }),
    filename: `${of.record.id}_${output}.jsonl`,
    purpose: 'batch_output',
  };
}

const noSuchFile = (): Problem => new Problem('not_found', 'There is no file with this id.');

async function ownFile(o: { fileReads: FileBatchReads }, id: string, response: Response): Promise<ListedFile> {
  const listed = await o.fileReads.readFile(principalOf(response).tenant, id);
  if (listed === null) throw noSuchFile();
  return listed;
}

const notStored = (): Problem =>
  new Problem('unavailable', 'The file could not be stored now. Nothing was accepted; send it again.');

const unreadFile = (): Problem => new Problem('unavailable', 'The file cannot be read now. Send the request again.');

export const createFile = served({
  method: 'post',
  path: '/openai/v1/files',
  scope: 'jobs:write',
  handlers: (o: FileDeps) => [
    async (request, response) => {
      const { tenant } = principalOf(response);
      const { fields, file: uploaded } = await readFileForm(
        request,
        response,
        { ...FILE_FORM, held: HELD_BYTES, budget: o.budget },
        async (file) => {
          checkBeforeFile(file);
          return await o.files.upload({ tenant, name: file.name, purpose: PURPOSE, bytes: file.bytes, signal: file.signal });
        },
      ).catch((error: unknown) => {
        throw error instanceof ObjectStoreError ? notStored() : error;
      });
      try {
        const { expiresInS } = readFileFields(fields, uploaded?.file.bytes);
        if (uploaded === undefined) throw noSuchFile();
        const kept = orProblem(await o.files.keep(uploaded, expiresInS), FILE_REFUSALS);
        response.json(viewFile({ kind: 'stored', file: kept.file }, kept.file.id));
      } catch (error) {
        if (error instanceof Problem) await uploaded?.discard();
        throw error;
      }
    },
  ],
});

const FileListQuery = z.strictObject({
  after: z.string().regex(FILE_ID, 'must be the id of a file').optional(),
  limit: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a number from 1 to 10000')
    .transform(Number)
    .pipe(z.number().min(1).max(10_000))
    .default(10_000),
  order: z.enum(['asc', 'desc']).default('desc'),
  purpose: z.enum(['batch', 'batch_output']).optional(),
});

/** More than these do not come in one page, whatever is asked for. */
const PAGE_FILES = 1000;
const KINDS = { batch: 'stored', batch_output: 'output' } as const;

export const listFiles = served({
  method: 'get',
  path: '/openai/v1/files',
  scope: 'jobs:read',
  handlers: (o: FileDeps) => [
    async (request, response) => {
      const { after, limit, order, purpose } = validate(FileListQuery, Object.fromEntries(single(request.query)));
      const kind = purpose === undefined ? undefined : KINDS[purpose];
      const page = { after, order, limit: Math.min(limit, PAGE_FILES), kind };
      const { files, more } = await o.fileReads.listFiles(principalOf(response).tenant, page);
      const data = files.map((file) => viewFile(file, o.fileReads.idOf(file)));
      response.json(listOf(data, more));
    },
  ],
});

/** A page as the clients of OpenAI read it. */
export const listOf = <T extends { id: string }>(data: readonly T[], more: boolean) => ({
  object: 'list' as const,
  data,
  first_id: data[0]?.id ?? null,
  last_id: data.at(-1)?.id ?? null,
  has_more: more,
});

export const readFile = served({
  method: 'get',
  path: '/openai/v1/files/{id}',
  scope: 'jobs:read',
  handlers: (o: FileDeps) => [
    async (request, response) => {
      const { id } = request.params;
      response.json(viewFile(await ownFile(o, id, response), id));
    },
  ],
});

export const readFileContent = served({
  method: 'get',
  path: '/openai/v1/files/{id}/content',
  scope: 'jobs:read',
  handlers: (o: FileDeps & BatchOutputDeps & { objects: Pick<ObjectStore, 'get'>; keyEnds: KeyEnds['keyEnds'] }) => [
    async (request, response) => {
      const listed = await ownFile(o, request.params.id, response);
      const ended = o.keyEnds(response);
      const headers = { 'Content-Type': 'application/octet-stream', 'Cache-Control': 'no-store' };
      if (listed.kind === 'output') {
        if (listed.of.batch === null) throw noSuchFile();
        await sendPieces(response, outputPieces(o, listed.of.batch, listed.output), { headers, ended });
        return;
      }
      const { key, bytes } = listed.file;
      const { body } = await o.objects.get(key, { signal: AbortSignal.timeout(TO_FIRST_BYTE_MS) }).catch((error: unknown) => {
        if (error instanceof ObjectStoreError) throw error.code === 'not_found' ? noSuchFile() : unreadFile();
        throw error;
      });
      await sendPieces(response, body, { headers: { ...headers, 'Content-Length': String(bytes) }, ended });
    },
  ],
});

export const deleteFile = served({
  method: 'delete',
  path: '/openai/v1/files/{id}',
  scope: 'jobs:write',
  handlers: (o: FileDeps & { fileBatches: Pick<FileBatches, 'deleteOutput'> }) => [
    async (request, response) => {
      const { id } = request.params;
      const listed = await ownFile(o, id, response);
      if (listed.kind === 'stored') await o.files.erase(listed.file);
      else await o.fileBatches.deleteOutput(listed.of.record.id, listed.output);
      response.json({ id, object: 'file', deleted: true });
    },
  ],
});
