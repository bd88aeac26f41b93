import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import pMap from 'p-map';
import { Digest } from './digest.ts';
import { Direct } from './direct.ts';
import { fromSdk, ObjectStoreError } from './errors.ts';
import { Feed } from './feed.ts';
import { giveBack } from './give-back.ts';
import type { FetchedObject, ObjectStore, PutBytesOptions, PutOptions, SignedLink, StoredObject } from './object-store.ts';
import { SignedPuts, type Target } from './signed-puts.ts';
import { Slabs } from './slabs.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When these end; those of a role do. Links that they sign end with them. */
  readonly expiration?: Date;
}

export interface ObjectStoreOptions {
  readonly bucket: string;
  /** Leave it out for AWS. */
  readonly endpoint?: string;
  /** Where callers reach the store, when that is another address than ours; signed links carry it. */
  readonly publicEndpoint?: string;
  /** Default: what the SDK finds in the environment; `us-east-1` when there is an endpoint (R2 wants `auto`). */
  readonly region?: string;
  /** `https://host/bucket/key` instead of `https://bucket.host/key` (default). */
  readonly forcePathStyle?: boolean;
  /** Where the probe writes, without a slash at its end. Keys are whole: a record outlives a change of this setting. */
  readonly prefix?: string;
  /** `when_required` works everywhere; `when_supported` adds checksum trailers, which several S3-compatible stores refuse. */
  readonly checksums: 'when_required' | 'when_supported';
  /** Default: the AWS chain (environment, profile, instance). */
  readonly credentials?: Credentials | (() => Promise<Credentials>);
  /**
   * In ms: to connect (5 000), without a byte on an open connection (60 000), a call without a body in all (30 000), until there is memory to hold a
   * body whole (1 000).
   */
  readonly timeouts?: { readonly connect?: number; readonly idle?: number; readonly call?: number; readonly room?: number };
  /** The time that links are signed with. Default: that of the machine. */
  readonly clock?: { now(): number };
}

const MIB = 1024 * 1024;
/** A body of a known length that is no larger is held whole, hashed, and sent with its digest in the signature; a larger one streams. */
const HELD_AT_MOST = 8 * MIB;
/** Bodies that are held so at once. Whoever finds no room in time streams. */
const HELD_AT_ONCE = 8;
/** Smallest part that S3 takes, and so the most of a body without a length that is in memory. */
const PART_SIZE = 5 * MIB;
const MAX_TTL_S = 7 * 24 * 3600;
const DELETES_AT_ONCE = 8;
/** A probe that hangs would hide that the store is back. */
const PROBE_MS = 10_000;
/** Time to read an object back, beside the limit of a call: 1 MiB/s. */
const SLOWEST_READ_PER_MS = 1_049;
const MAX_SOCKETS = 128;

/** Documents with scripts, which would run where the bucket is: browsers are made to save them, by the object and by each link. */
const SAVED_ONLY: Readonly<Record<string, string>> = { 'image/svg+xml': '.svg' };
const SAVE = 'attachment';
const disposition = (contentType: string) => (Object.hasOwn(SAVED_ONLY, contentType) ? { ContentDisposition: SAVE } : {});

const ignore = (): void => undefined;
/** What the SDK has to say it also throws; by default it warns on the console of every stream that it cannot repeat. */
const SILENT = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

/** An {@link ObjectStore} on S3 or what speaks its protocol: AWS, R2, Alibaba OSS, Tencent COS, Ceph, MinIO. */
export function createObjectStore(options: ObjectStoreOptions): ObjectStore {
  return new S3ObjectStore(options);
}

class S3ObjectStore implements ObjectStore {
  readonly #client: S3Client;
  /** Signs links, whose host is part of the signature; makes no requests. */
  readonly #signer: S3Client;
  readonly #links: Direct;
  readonly #puts: SignedPuts;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #callMs: number;
  readonly #now: () => number;
  readonly #slabs: Slabs;
  readonly #checksum: { ChecksumAlgorithm?: 'SHA256' };

  constructor(options: ObjectStoreOptions) {
    const { endpoint, region = endpoint === undefined ? undefined : 'us-east-1', credentials, timeouts = {} } = options;
    const required = options.checksums === 'when_required';
    const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };
    this.#bucket = options.bucket;
    this.#prefix = options.prefix === undefined || options.prefix === '' ? '' : `${options.prefix.replace(/\/+$/, '')}/`;
    this.#callMs = timeouts.call ?? 30_000;
    this.#slabs = new Slabs({ bytes: HELD_AT_MOST, most: HELD_AT_ONCE, patienceMs: timeouts.room ?? 1000 });
    this.#now = () => options.clock?.now() ?? Date.now();
    this.#checksum = required ? {} : { ChecksumAlgorithm: 'SHA256' };
    const settings: S3ClientConfig = {
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(region === undefined ? {} : { region }),
      ...(credentials === undefined ? {} : { credentials }),
      forcePathStyle: options.forcePathStyle ?? false,
      requestChecksumCalculation: required ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      maxAttempts: 3,
      logger: SILENT,
      // No requestTimeout: it would also be how long a PUT waits for a store that ignores "Expect: 100-continue".
      requestHandler: {
        connectionTimeout: timeouts.connect ?? 5_000,
        socketTimeout: timeouts.idle ?? 60_000,
        httpAgent: agent,
        httpsAgent: agent,
      },
    };
    this.#client = new S3Client(settings);
    const { publicEndpoint } = options;
    this.#signer = publicEndpoint === undefined ? this.#client : new S3Client({ ...settings, endpoint: publicEndpoint });
    this.#links = new Direct(this.#signer, options.bucket);
    this.#puts = new SignedPuts(this.#client, options.bucket, options.checksums);
  }

  async put(key: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<StoredObject> {
    const { contentLength: length, contentType } = options;
    const slab = length !== undefined && length <= HELD_AT_MOST ? await this.#slabs.take() : null;
    const digest = new Digest({ md5: slab === null });
    const feed = new Feed(body, digest, options);
    const target = this.#target(key, contentType);
    let stored: StoredObject | undefined;
    try {
      if (feed.failure !== undefined) throw feed.failure;
      stored =
        slab === null
          ? await this.#putStream(target, feed, digest, length)
          : await this.#putHeld(target, feed, digest, slab, options.ownsChunks === true);
      return stored;
    } catch (error) {
      throw feed.failure ?? fromSdk(error, `put ${key}`);
    } finally {
      feed.close();
      // What a request that failed has left of it on its way out must not become that of another.
      if (slab !== null) stored === undefined ? this.#slabs.lose() : this.#slabs.give(slab);
    }
  }

  async putBytes(key: string, bytes: Uint8Array, { contentType, signal, slices }: PutBytesOptions): Promise<StoredObject> {
    const digest = await digestOf(bytes, slices);
    try {
      return await this.#puts.put(this.#target(key, contentType), bytes, digest, signal);
    } catch (error) {
      if (signal?.aborted) throw new ObjectStoreError('aborted', 'aborted by the caller', { cause: error });
      throw fromSdk(error, `put ${key}`);
    }
  }

  async get(key: string, options: { signal?: AbortSignal } = {}): Promise<FetchedObject> {
    try {
      return await this.#fetch(key, options.signal);
    } catch (error) {
      if (options.signal?.aborted) throw new ObjectStoreError('aborted', 'aborted by the caller', { cause: error });
      throw fromSdk(error, `get ${key}`);
    }
  }

  async signedUrl(key: string, ttlSeconds: number): Promise<SignedLink> {
    const expiresIn = Math.min(MAX_TTL_S, Math.max(1, Math.floor(ttlSeconds)));
    try {
      // Asked for before: should others be fetched in between, the link lives longer than it says, never shorter.
      const end = await this.#credentialsEnd();
      const saved = Object.values(SAVED_ONLY).some((ext) => key.endsWith(ext));
      const how = { expiresIn, signingDate: new Date(this.#now()) };
      const direct = await this.#links.link(key, saved ? { 'response-content-disposition': SAVE } : {}, how);
      const input = { ...this.#at(key), ...(saved ? { ResponseContentDisposition: SAVE } : {}) };
      const url = direct ?? (await getSignedUrl(this.#signer, new GetObjectCommand(input), how));
      const bySignature = signedAt(url) + expiresIn * 1000;
      return { url, expiresAt: Math.min(bySignature, end ?? bySignature) };
    } catch (error) {
      throw fromSdk(error, `sign ${key}`);
    }
  }

  async signsUntil(): Promise<number | null> {
    try {
      return await this.#credentialsEnd();
    } catch (error) {
      throw fromSdk(error, 'credentials');
    }
  }

  async list(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    let token: string | undefined;
    try {
      do {
        const input = { Bucket: this.#bucket, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }) };
        const page = await this.#client.send(new ListObjectsV2Command(input), this.#limited());
        keys.push(...(page.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key])));
        token = page.NextContinuationToken;
      } while (token !== undefined);
      return keys;
    } catch (error) {
      throw fromSdk(error, `list ${prefix}`);
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    // One by one: for the bulk call stores disagree about the digest that it has to carry.
    const deleteOne = async (key: string): Promise<ObjectStoreError | undefined> => {
      try {
        await this.#deleteOne(key);
        return undefined;
      } catch (error) {
        return fromSdk(error, `delete ${key}`);
      }
    };
    const failures = await pMap(new Set(keys), deleteOne, { concurrency: DELETES_AT_ONCE });
    const first = failures.find((each) => each !== undefined);
    if (first !== undefined) throw first;
  }

  async probe(written?: () => void): Promise<void> {
    const key = `${this.#prefix}.probe/${randomUUID()}`;
    const signal = AbortSignal.timeout(PROBE_MS);
    try {
      await this.putBytes(key, Buffer.from('probe'), { contentType: 'text/plain', signal });
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new ObjectStoreError('unavailable', `put ${key}: no answer within ${PROBE_MS} ms`, { cause: signal.reason });
    }
    written?.();
    await this.delete([key]);
  }

  close(): void {
    this.#client.destroy();
    this.#signer.destroy();
  }

  async #credentialsEnd(): Promise<number | null> {
    const { expiration } = await this.#signer.config.credentials();
    return expiration?.getTime() ?? null;
  }

  #target(key: string, contentType: string): Target {
    return { ...this.#at(key), ContentType: contentType, ...disposition(contentType) };
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: key };
  }

  async #putHeld(target: Target, feed: Feed, digest: Digest, slab: Buffer, owned: boolean): Promise<StoredObject> {
    let at = 0;
    for await (const chunk of feed.chunks()) {
      at += chunk.copy(slab, at);
      if (owned) giveBack(chunk);
    }
    if (feed.failure !== undefined) throw feed.failure;
    return await this.#puts.put(target, slab.subarray(0, at), digest, feed.signal);
  }

  async #putStream(target: Target, feed: Feed, digest: Digest, contentLength: number | undefined): Promise<StoredObject> {
    const stream = Readable.from(feed.chunks(), { objectMode: false });
    const body = { ...target, Body: stream };
    try {
      const reply =
        contentLength === undefined
          ? await this.#putParts(body, feed.signal)
          : await this.#client.send(new PutObjectCommand({ ...body, ...this.#checksum, ContentLength: contentLength }), {
              abortSignal: feed.signal,
            });
      if (feed.failure !== undefined) throw feed.failure;
      if (contentLength !== undefined && digest.bytes < contentLength)
        throw new ObjectStoreError('unavailable', `put ${target.Key}: the store answered before it had the whole body`);
      return await this.#prove(target.Key, digest, reply, feed.signal);
    } finally {
      stream.destroy();
    }
  }

  /**
   * lib-storage aborts only between two parts and then does not wait for its clean-up. Here its requests get the signal, so that it
   * fails by itself, removes the upload and reports when it has done so. Begin and clean-up go through: a begin that was cut would leave
   * an upload whose id nobody knows.
   */
  async #putParts(target: Target & { Body: Readable }, signal: AbortSignal): Promise<Reply> {
    const send = (command: Parameters<S3Client['send']>[0]) => {
      const uncut = command instanceof CreateMultipartUploadCommand || command instanceof AbortMultipartUploadCommand;
      return this.#client.send(command, uncut ? this.#limited() : { abortSignal: signal });
    };
    const client: S3Client = Object.create(this.#client, { send: { value: send } });
    const reply = await new Upload({ client, params: target, partSize: PART_SIZE, queueSize: 1 }).done();
    return reply.ETag === undefined ? {} : { ETag: reply.ETag };
  }

  /**
   * What was streamed: a digest of the whole object that the store returned, or else the object read back, must be what was sent; otherwise it is removed.
   * The ETag of an upload in parts is a digest of the parts only, and no proof: a Ceph 18 gateway on its single-file store returned the
   * right one and then served the last part in place of every other (tried).
   */
  async #prove(key: string, digest: Digest, reply: Reply, signal: AbortSignal): Promise<StoredObject> {
    const { sha256, md5 } = digest.finish();
    const stored = { bytes: digest.bytes, sha256 };
    if (reply.ChecksumSHA256 !== undefined && Buffer.from(reply.ChecksumSHA256, 'base64').toString('hex') === sha256)
      return stored;
    if (reply.ETag !== undefined && reply.ETag.replaceAll('"', '').toLowerCase() === md5) return stored;
    const found = await this.#readBack(key, stored.bytes, signal);
    if (found === sha256) return stored;
    await this.#deleteOne(key).catch(() => undefined);
    throw new ObjectStoreError(
      'corrupt',
      `put ${key}: sent ${stored.bytes} bytes with SHA-256 ${sha256}, the store has ${found}`,
    );
  }

  async #fetch(key: string, signal: AbortSignal | undefined): Promise<FetchedObject> {
    const reply = await this.#client.send(
      new GetObjectCommand(this.#at(key)),
      signal === undefined ? {} : { abortSignal: signal },
    );
    if (!(reply.Body instanceof Readable)) throw new ObjectStoreError('unavailable', `get ${key}: an answer without a body`);
    return {
      body: reply.Body,
      ...(reply.ContentType === undefined ? {} : { contentType: reply.ContentType }),
      ...(reply.ContentLength === undefined ? {} : { bytes: reply.ContentLength }),
    };
  }

  /** The SHA-256 of what the store holds; a word about the size when that is wrong already. */
  async #readBack(key: string, bytes: number, signal?: AbortSignal): Promise<string> {
    const limit = this.#limited(signal, bytes / SLOWEST_READ_PER_MS).abortSignal;
    const head = await this.#client.send(new HeadObjectCommand(this.#at(key)), { abortSignal: limit });
    if (head.ContentLength !== bytes) return `${head.ContentLength} bytes`;
    const { body } = await this.#fetch(key, limit);
    const digest = new Digest();
    try {
      for await (const chunk of body) digest.update(chunk);
    } finally {
      body.destroy();
    }
    return digest.finish().sha256;
  }

  async #deleteOne(key: string): Promise<void> {
    try {
      await this.#client.send(new DeleteObjectCommand(this.#at(key)), this.#limited());
    } catch (error) {
      const failure = fromSdk(error, `delete ${key}`);
      if (failure.code !== 'not_found') throw failure;
    }
  }

  #limited(signal?: AbortSignal, moreMs = 0): { abortSignal: AbortSignal } {
    const limit = AbortSignal.timeout(this.#callMs + Math.ceil(moreMs));
    return { abortSignal: signal === undefined ? limit : AbortSignal.any([signal, limit]) };
  }
}

/** Hashed between two looks at the slices. */
const PIECE_BYTES = 256 * 1024;

async function digestOf(bytes: Uint8Array, slices: PutBytesOptions['slices']): Promise<Digest> {
  const digest = new Digest();
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    digest.update(bytes.subarray(at, at + PIECE_BYTES));
    if (slices?.over()) await slices.next();
  }
  return digest;
}

/** The time in a signed link, `20260131T080000Z`: what the store counts from, whatever our clock says. */
function signedAt(url: string): number {
  const [, y, mo, d, h, mi, s] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(new URL(url).searchParams.get('X-Amz-Date') ?? '') ?? [];
  return Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
}

interface Reply {
  ETag?: string | undefined;
  ChecksumSHA256?: string | undefined;
}
