import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { chunksOf } from '../bytes.ts';
import type { GrsaiJobs } from '../client.ts';
import { type CallOptions, pause, within } from '../deadline.ts';
import { ConnectionError, connectionError, errorOf, GrsaiJobsError } from '../errors.ts';
import { retryInMs } from '../retry-policy.ts';
import { renewed } from './renew.ts';

/** A file in the store of the service: an image, a large completion, the results of a batch. */
export interface StoredFile {
  url: string;
  bytes: number;
  sha256: string;
  /** Names the job or batch that it belongs to, so that its link can be renewed. */
  key: string;
}

export interface Downloaded {
  path: string;
  bytes: number;
  sha256: string;
}

/** What is used of a client. */
export type Downloader = Pick<GrsaiJobs, 'jobs' | 'batches' | 'fetch'>;

const RETRIES = 5;
/** Without a byte, in milliseconds; then it is tried again. */
const IDLE_MS = 30_000;
/** What stores answer to a link that has expired. */
const EXPIRED: ReadonlySet<number> = new Set([400, 401, 403, 404, 410]);

/**
 * Stores a file at `path`, whole or not at all: it is written beside it, its length and SHA-256 are checked, then it is renamed.
 * A link that has expired is renewed, and a download that was cut begins again. Nothing is fetched when the file is there already.
 */
export async function download(
  client: Downloader,
  file: StoredFile,
  path: string,
  options: CallOptions = {},
): Promise<Downloaded> {
  return await within(options, async (signal) => {
    const { bytes, sha256 } = file;
    const done: Downloaded = { path, bytes, sha256 };
    if (await holds(path, file)) return done;
    signal.throwIfAborted();
    await mkdir(dirname(path), { recursive: true });
    const beside = `${path}.${randomUUID()}.part`;
    try {
      await fetchTo(client, file, beside, signal);
      await rename(beside, path);
      return done;
    } finally {
      await rm(beside, { force: true });
    }
  });
}

/** Whether the file at `path` is that one. */
async function holds(path: string, { bytes, sha256 }: StoredFile): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.size !== bytes || !found.isFile()) return false;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest('hex') === sha256;
}

async function fetchTo(client: Downloader, file: StoredFile, path: string, signal: AbortSignal): Promise<void> {
  let from = file;
  let renewals = 0;
  for (let attempt = 1; ; attempt += 1) {
    // While the file was looked for nothing has listened to it.
    signal.throwIfAborted();
    try {
      await fetchOnce(client.fetch, from, path, signal);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof GrsaiJobsError)) throw error;
      if (error.status !== undefined && EXPIRED.has(error.status) && renewals === 0) {
        renewals += 1;
        from = await renewed(client, file, signal);
        continue;
      }
      const patience = { retries: RETRIES };
      const waitMs = retryInMs(error, { attempt, downMs: 0, patience, random: Math.random });
      if (waitMs === undefined) throw error;
      await pause(waitMs, signal);
    }
  }
}

/** Writes what comes to `path`, and checks it. */
async function fetchOnce(fetch: Downloader['fetch'], file: StoredFile, path: string, outer: AbortSignal): Promise<void> {
  const idle = new AbortController();
  const relay = () => idle.abort(outer.reason);
  outer.addEventListener('abort', relay, { once: true });
  const watch = () => setTimeout(() => idle.abort(new Error(`nothing came for ${IDLE_MS / 1000} s`)), IDLE_MS);
  let timer = watch();
  const beating = async function* (body: ReadableStream<Uint8Array>) {
    for await (const chunk of chunksOf(body)) {
      clearTimeout(timer);
      yield chunk;
      timer = watch();
    }
  };
  try {
    // The link is signed: it needs no key, and another host must not see one.
    const response = await fetch(file.url, { signal: idle.signal }).catch((error: unknown) => {
      throw connectionError(withoutQuery(file.url), error);
    });
    if (!response.ok) throw await errorOf(response);
    const hash = createHash('sha256');
    let bytes = 0;
    const handle = await open(path, 'w');
    try {
      for await (const chunk of cutAsError(beating(response.body ?? new Blob([]).stream()), file.url)) {
        bytes += chunk.length;
        hash.update(chunk);
        await handle.writeFile(chunk);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    check(file, { bytes, sha256: hash.digest('hex') });
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', relay);
  }
}

async function* cutAsError<T>(chunks: AsyncIterable<T>, url: string): AsyncGenerator<T, void, undefined> {
  try {
    yield* chunks;
  } catch (error) {
    throw connectionError(withoutQuery(url), error);
  }
}

function check(file: StoredFile, { bytes, sha256 }: { bytes: number; sha256: string }): void {
  if (bytes === file.bytes && sha256 === file.sha256) return;
  throw new ConnectionError({
    code: 'wrong_bytes',
    retryable: true,
    detail: `${withoutQuery(file.url)} came as ${bytes} bytes with SHA-256 ${sha256}, and is ${file.bytes} bytes with ${file.sha256}.`,
  });
}

/** The query of a link opens the file: it belongs into no log. */
const withoutQuery = (url: string): string => url.replace(/\?.*$/s, '');
