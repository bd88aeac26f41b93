import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Digest } from './digest.ts';
import { type Answer, Direct } from './direct.ts';
import type { StoredObject } from './object-store.ts';

export interface Target {
  Bucket: string;
  Key: string;
  ContentType: string;
  ContentDisposition?: string;
}

/** Puts bytes that were hashed before, with their SHA-256 in the signature: a store refuses every other body (AWS Signature Version 4), so its yes is the proof. */
export class SignedPuts {
  readonly #client: S3Client;
  /** `undefined` where a checksum of the SDK goes along. */
  readonly #direct: Direct | undefined;

  constructor(client: S3Client, bucket: string, checksums: 'when_required' | 'when_supported') {
    this.#client = client;
    this.#direct = checksums === 'when_required' ? new Direct(client, bucket) : undefined;
  }

  async put(target: Target, bytes: Uint8Array, digest: Digest, signal?: AbortSignal): Promise<StoredObject> {
    const { sha256 } = digest.finish();
    const first = await this.#tryFirst(target, bytes, sha256, signal);
    if (first !== 'stored') {
      const checksum = this.#direct === undefined ? { ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64') } : {};
      const command = new PutObjectCommand({ ...target, Body: bytes, ...checksum });
      hashedAlready(command, sha256);
      if (first !== null) answeredAlready(command, first.answer);
      await this.#client.send(command, signal === undefined ? {} : { abortSignal: signal });
    }
    return { bytes: digest.bytes, sha256 };
  }

  async #tryFirst(
    { Key: key, ContentType, ContentDisposition }: Target,
    bytes: Uint8Array,
    sha256: string,
    signal?: AbortSignal,
  ) {
    if (this.#direct === undefined) return null;
    const saved = ContentDisposition === undefined ? {} : { 'content-disposition': ContentDisposition };
    return await this.#direct.put({ key, bytes, sha256, headers: { 'content-type': ContentType, ...saved }, signal });
  }
}

/** The SDK would hash the body once more, in one piece, for each attempt. */
function hashedAlready(command: PutObjectCommand, sha256: string): void {
  command.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      headers['x-amz-content-sha256'] = sha256;
      return next(args);
    },
    { step: 'build', name: 'hashedAlready' },
  );
}

/** The first request of the command was made: the SDK begins with its answer, learns from it, and repeats what can be repeated. */
function answeredAlready(command: PutObjectCommand, answer: Answer): void {
  let isFirst = true;
  command.middlewareStack.add(
    (next) => async (args) => {
      if (!isFirst) return next(args);
      isFirst = false;
      return await answer;
    },
    { step: 'deserialize', priority: 'low', name: 'answeredAlready' },
  );
}
