import { defineScript, type Fields, pipelined, type Redis, type RunScript } from '@grsai-jobs/redis';
import { type InputNote, noteText } from '../job/input-notes.ts';
import type { Keys } from '../layout/keys.ts';
import { type Allowance, allowanceFields, type Refused, refusedOf } from '../tenant/usage.ts';

/** A file that a caller has uploaded. Times in ms since 1970. */
export interface StoredFile {
  id: string;
  tenant: string;
  name: string;
  purpose: string;
  bytes: number;
  sha256: string;
  /** In the object store. */
  key: string;
  created_at: number;
  expires_at: number;
}

/** `late`: the upload took so long that its object is being deleted. */
export type FileCreated = { kind: 'ok' } | { kind: 'late' } | Refused;

/** What a record takes in Redis, with its name and its places in lists. */
const RECORD_BYTES = 1024;

const createScript = defineScript({
  lua: new URL('./create-file.lua', import.meta.url),
  keys: ['file', 'tenant_files', 'expiring', 'input_notes', 'usage', 'spent'],
  args: ['order', '...fields'],
  whenFull: 'fails',
  lasts: true,
});

const eraseScript = defineScript({
  lua: new URL('./erase-file.lua', import.meta.url),
  keys: ['file', 'tenant_files', 'expiring', 'usage'],
  args: ['id'],
  whenFull: 'runs',
  lasts: true,
});

/** Where a page of a list of ids begins and how long it is. Ids sort by the time that they were made. */
export interface IdPage {
  /** Behind this one; it need not be there any more. */
  after?: string | undefined;
  order: 'asc' | 'desc';
  limit: number;
}

/** Ids of a sorted set whose members all have the same score. */
export function idsOf(redis: Redis, key: string, { after, order, limit }: IdPage): Promise<string[]> {
  const behind = `(${after}`;
  return order === 'asc'
    ? redis.zrange(key, after === undefined ? '-' : behind, '+', 'BYLEX', 'LIMIT', 0, limit)
    : redis.zrange(key, after === undefined ? '+' : behind, '-', 'BYLEX', 'REV', 'LIMIT', 0, limit);
}

const decode = (id: string, fields: Fields): StoredFile => ({
  id,
  tenant: fields['tenant'] ?? '',
  name: fields['name'] ?? '',
  purpose: fields['purpose'] ?? '',
  bytes: Number(fields['bytes']),
  sha256: fields['sha256'] ?? '',
  key: fields['key'] ?? '',
  created_at: Number(fields['cr']),
  expires_at: Number(fields['exp']),
});

export type Files = ReturnType<typeof createFiles>;

/** Files of tenants: their objects stand in the object store, and what is known of them here. */
export function createFiles(redis: Redis, run: RunScript, keys: Keys) {
  return {
    /** The object is stored, and `note` says so. */
    async create(file: StoredFile, note: InputNote, allowance: Allowance = {}): Promise<FileCreated> {
      const { id, tenant, name, purpose, bytes, sha256, key, created_at: cr, expires_at: exp } = file;
      const use = RECORD_BYTES + Buffer.byteLength(name);
      const fields = { tenant, name, purpose, bytes, sha256, key, cr, exp, use };
      const order = {
        ...{ id, tenant, note: noteText(note), expires_at: exp },
        use: { redis: use, stored: bytes, live: 0 },
        ...allowanceFields(allowance),
      };
      const reply = (await run(
        createScript,
        {
          ...{ file: keys.file(id), tenant_files: keys.tenantFiles(tenant), expiring: keys.filesExpiring },
          ...{ input_notes: keys.inputNotes, usage: keys.usage, spent: keys.spent },
        },
        { order: JSON.stringify(order), fields: Object.entries(fields).flat() },
      )) as [string];
      return refusedOf(reply) ?? { kind: reply[0] === 'late' ? 'late' : 'ok' };
    },

    async read(id: string): Promise<StoredFile | null> {
      const fields = await redis.hgetall(keys.file(id));
      return fields['key'] === undefined ? null : decode(id, fields);
    },

    async page(tenant: string, page: IdPage): Promise<StoredFile[]> {
      const ids = await idsOf(redis, keys.tenantFiles(tenant), page);
      const found = await pipelined(redis, ids, (pipeline, id) => pipeline.hgetall(keys.file(id)));
      return ids.flatMap((id, i) => {
        const fields = found[i] as Fields;
        return fields['key'] === undefined ? [] : [decode(id, fields)];
      });
    },

    /** Its object is gone. */
    async erase({ id, tenant }: Pick<StoredFile, 'id' | 'tenant'>): Promise<void> {
      await run(
        eraseScript,
        { file: keys.file(id), tenant_files: keys.tenantFiles(tenant), expiring: keys.filesExpiring, usage: keys.usage },
        { id },
      );
    },

    /** Files whose time is over at `now`, the oldest `limit`. */
    expiredAt: (now: number, limit: number): Promise<string[]> =>
      redis.zrange(keys.filesExpiring, '-inf', String(now), 'BYSCORE', 'LIMIT', 0, limit),
  };
}
