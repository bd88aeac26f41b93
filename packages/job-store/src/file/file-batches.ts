import { defineScript, type Fields, type Redis, type RunScript } from '@grsai-jobs/redis';
import { IDEMPOTENCY_TTL_MS } from '../job/create.ts';
import type { Keys } from '../layout/keys.ts';
import type { LastingWrite } from '../layout/lasting-write.ts';
import { type IdPage, idsOf } from './files.ts';

/** What is wrong with a line of a file, or with the whole of it (`line` null). */
export interface FileBatchError {
  code: string;
  line: number | null;
  message: string;
  param: string | null;
}

/** A batch that is made of the lines of a file. The batch itself has the same id, once all lines were found right. Times in ms since 1970. */
export interface FileBatch {
  id: string;
  tenant: string;
  input_file_id: string;
  /** The path that each line has. */
  endpoint: string;
  completion_window: string;
  metadata: Record<string, string> | null;
  /** How long what it puts out can be read behind its end, in seconds. */
  output_expires_s: number | null;
  created_at: number;
  /** Whoever reads its lines is gone when they have not become a batch by then. */
  validates_until: number;
  expires_at: number;
  failed_at: number | null;
  /** Why it came to nothing. */
  errors: readonly FileBatchError[] | null;
  /** What it puts out that was deleted. */
  deleted: readonly string[];
}

/** So many of a tenant are known; the oldest are forgotten. */
export const FILE_BATCHES_KEPT = 1000;

const createScript = defineScript({
  lua: new URL('./create-file-batch.lua', import.meta.url),
  keys: ['record', 'tenant_file_batches', 'claim?'],
  args: ['id', 'prefix', 'most', 'fingerprint', 'ttl_ms', '...fields'],
  whenFull: 'fails',
  lasts: true,
});

type Doc = Pick<
  FileBatch,
  'input_file_id' | 'endpoint' | 'completion_window' | 'metadata' | 'output_expires_s' | 'validates_until' | 'expires_at'
>;

function decode(id: string, fields: Fields): FileBatch | null {
  if (fields['doc'] === undefined) return null;
  return {
    ...(JSON.parse(fields['doc']) as Doc),
    id,
    tenant: fields['tenant'] ?? '',
    created_at: Number(fields['cr']),
    failed_at: fields['fin'] === undefined ? null : Number(fields['fin']),
    errors: fields['errors'] === undefined ? null : (JSON.parse(fields['errors']) as FileBatchError[]),
    deleted: Object.keys(fields).flatMap((name) => (name.startsWith('deleted:') ? [name.slice(8)] : [])),
  };
}

export type FileBatches = ReturnType<typeof createFileBatches>;

/** Batches that are made of files: what is known of each beside the batch itself. */
export function createFileBatches(redis: Redis, run: RunScript, keys: Keys, lasting: LastingWrite) {
  return {
    /** Before the first line is read, so that whoever asks again finds it. `idempotency`: the same key makes one. */
    async create(
      batch: Omit<FileBatch, 'failed_at' | 'errors' | 'deleted'>,
      idempotency?: { route: string; key: string; fingerprint: string },
    ): Promise<{ kind: 'made' } | { kind: 'replay'; id: string; fingerprint: string }> {
      const { id, tenant, created_at: cr, ...doc } = batch;
      const [kind, made = '', fingerprint = ''] = (await run(
        createScript,
        {
          record: keys.fileBatch(id),
          tenant_file_batches: keys.tenantFileBatches(tenant),
          claim: idempotency ? keys.idempotency(tenant, idempotency.route, idempotency.key) : null,
        },
        {
          ...{ id, prefix: keys.fileBatch(''), most: FILE_BATCHES_KEPT },
          ...{ fingerprint: idempotency?.fingerprint ?? '', ttl_ms: IDEMPOTENCY_TTL_MS },
          fields: Object.entries({ st: 'made', tenant, cr, doc: JSON.stringify(doc satisfies Doc) }).flat(),
        },
      )) as string[];
      return kind === 'replay' ? { kind, id: made, fingerprint } : { kind: 'made' };
    },

    read: async (id: string): Promise<FileBatch | null> => decode(id, await redis.hgetall(keys.fileBatch(id))),

    /** The ids of those of a tenant. */
    ids: (tenant: string, page: IdPage): Promise<string[]> => idsOf(redis, keys.tenantFileBatches(tenant), page),

    /** Its lines came to nothing. */
    async fail(id: string, errors: readonly FileBatchError[], now: number): Promise<void> {
      await lasting(() => redis.hset(keys.fileBatch(id), 'fin', now, 'errors', JSON.stringify(errors)));
    },

    /** Nothing was made, and whoever asks again makes another. */
    async forget({ id, tenant }: Pick<FileBatch, 'id' | 'tenant'>, idempotency?: { route: string; key: string }): Promise<void> {
      await redis.zrem(keys.tenantFileBatches(tenant), id);
      await redis.del(keys.fileBatch(id));
      if (idempotency) await redis.del(keys.idempotency(tenant, idempotency.route, idempotency.key));
    },

    /** What it puts out under this name is not to be read any more. */
    async deleteOutput(id: string, name: string): Promise<void> {
      await lasting(() => redis.hset(keys.fileBatch(id), `deleted:${name}`, 1));
    },
  };
}
