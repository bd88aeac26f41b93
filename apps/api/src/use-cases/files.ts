import type { Files, InputNotes, Refused, StoredFile } from '@grsai-jobs/job-store';
import { fileId, objectFolder } from '@grsai-jobs/jobs';
import { type ObjectStore, ObjectStoreError } from '@grsai-jobs/object-store';
import type { Clock, Logger } from '@grsai-jobs/runtime';
import type { TenantRulesOf } from './tenant-limits.ts';

/** A file as it comes in. */
interface NewFile {
  tenant: string;
  name: string;
  purpose: string;
  bytes: AsyncIterable<Uint8Array>;
  /** Ends the upload; nothing of it stays. */
  signal: AbortSignal;
}

/** A file whose object is stored, and which nobody sees yet. */
interface UploadedFile {
  file: Omit<StoredFile, 'expires_at'>;
  /** Removes it. Never rejects. */
  discard(): Promise<void>;
}

export type FileKept =
  | { kind: 'kept'; file: StoredFile }
  | Refused
  /** It took too long, and its object is being deleted. */
  | { kind: 'late' };

export interface FileUseCases {
  /** Stores the bytes as they come. Rejects with what they threw, or with `ObjectStoreError`; nothing stays then, or it is noted. */
  upload(file: NewFile): Promise<UploadedFile>;
  /** From now on the file is there. */
  keep(uploaded: UploadedFile, expiresInS: number): Promise<FileKept>;
  /** First its object, then what is known of it. */
  erase(file: StoredFile): Promise<void>;
}

const TYPE = 'application/octet-stream';

export function createFileUseCases(o: {
  files: Pick<Files, 'create' | 'erase'>;
  objects: Pick<ObjectStore, 'put' | 'delete'>;
  notes: Pick<InputNotes, 'write' | 'forget'>;
  tenants: Pick<TenantRulesOf, 'allowance'>;
  keyPrefix: string;
  newUlid: (now: number) => string;
  clock: Clock;
  log: Logger;
}): FileUseCases {
  const noteOf = ({ id, key }: Pick<StoredFile, 'id' | 'key'>) => ({ jobId: id, objects: [key] });

  return {
    async upload({ tenant, name, purpose, bytes, signal }) {
      const created_at = o.clock.now();
      const id = fileId(o.newUlid(created_at));
      const key = objectFolder(o.keyPrefix, { id, tenant, created_at });
      const discard = async (): Promise<void> => {
        try {
          await o.objects.delete([key]);
          await o.notes.forget([noteOf({ id, key })]);
        } catch (err) {
          o.log.warn({ event: 'file.orphaned', err, file_id: id }, 'a file that nobody keeps stays in S3 for an hour');
        }
      };
      await o.notes.write(noteOf({ id, key }));
      let isWhole = false;
      const toEnd = async function* (): AsyncGenerator<Uint8Array> {
        yield* bytes;
        isWhole = true;
      };
      try {
        const stored = await o.objects.put(key, toEnd(), { contentType: TYPE, signal });
        return { file: { id, tenant, name, purpose, key, created_at, ...stored }, discard };
      } catch (error) {
        // What was sent whole may still arrive: the note stays, and `maintain` deletes it then.
        if (!isWhole) await discard();
        // What has ended the upload says more than how it ended.
        if (signal.aborted && error instanceof ObjectStoreError) throw signal.reason;
        throw error;
      }
    },

    async keep({ file, discard }, expiresInS) {
      const kept = { ...file, expires_at: o.clock.now() + expiresInS * 1000 };
      const created = await o.files.create(kept, noteOf(file), await o.tenants.allowance(file.tenant));
      if (created.kind !== 'ok') {
        await discard();
        return created;
      }
      return { kind: 'kept', file: kept };
    },

    async erase(file) {
      await o.objects.delete([file.key]);
      await o.files.erase(file);
    },
  };
}
