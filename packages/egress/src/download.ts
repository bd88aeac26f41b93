import { ContentCodingError, type ContentCodingProblem, decode, isCoded, unlessGzip } from '@grsai-jobs/grsai/coding';
import { retryAfterMs } from '@grsai-jobs/grsai/retry-after';
import { WireLimitError } from '@grsai-jobs/grsai/wire-guard';
import type { Dispatcher } from 'undici';
import type { Guard } from './egress.ts';
import { EgressError, type EgressErrorCode, isRetryable, reasonOf } from './errors.ts';
import { locationOf, unescaped } from './links.ts';
import { USER_AGENT } from './user-agent.ts';
import { Watch } from './watch.ts';
import { asEgress, fileLimits } from './wire-limits.ts';

export interface DownloadOptions {
  /** To the headers of each hop, connection included; 20 s by default. */
  readonly firstByteMs?: number;
  /** Between two chunks while the caller waits for one; time that the caller takes does not count. 30 s by default. */
  readonly idleMs?: number;
  /** For everything, from the call to the last byte; 10 min by default. */
  readonly totalMs?: number;
  /** For the file, and for its bytes on the way while it is coded; 64 MiB by default. */
  readonly maxBytes?: number;
  /** 3 by default. */
  readonly maxRedirects?: number;
  /** Ends the download, body included, as `aborted`. */
  readonly signal?: AbortSignal;
}

export interface Download {
  /** 200, or another that stands for the whole file. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /**
   * As announced; a body of another length fails as `truncated`. Unknown of a file that was coded for the way, which may show only once
   * its first bytes were read.
   */
  readonly contentLength?: number | undefined;
  readonly contentType?: string;
  /** The end of the connection is that of the file, so one that broke looks whole. */
  readonly endsByClose: boolean;
  /**
   * The bytes without content codings, read from the network as fast as they are taken; can be read once. Ends by an {@link EgressError}
   * when they stop coming, are cut short, become too many or cannot be decoded. Leaving the loop early closes the connection.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives up a body that will not be read, or not to its end. */
  cancel(): void;
}

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
const LIMITS = { firstByteMs: 20_000, idleMs: 30_000, totalMs: 600_000, maxBytes: 64 * 1024 * 1024, maxRedirects: 3 };

/**
 * GETs a link as a stream, as browsers read one, following redirects by hand so that each hop is checked like the first. Throws
 * {@link EgressError}; its `retryable` says whether trying again can help. The body must be read, or given up by `cancel()`.
 */
export async function download(
  egress: Pick<Guard, 'dispatcher' | 'admitLink'>,
  url: string,
  options: DownloadOptions = {},
): Promise<Download> {
  const limits = { ...LIMITS, ...options };
  const watch = new Watch(limits.totalMs, options.signal);
  try {
    const response = await follow(egress, url, limits, watch);
    return describe(response, limits, watch);
  } catch (error) {
    const failure = asEgressError(error, watch);
    watch.abort(failure);
    throw failure;
  }
}

async function follow(
  egress: Pick<Guard, 'dispatcher' | 'admitLink'>,
  first: string,
  { firstByteMs, maxBytes, maxRedirects }: typeof LIMITS,
  watch: Watch,
): Promise<Dispatcher.ResponseData> {
  let url = egress.admitLink(first);
  for (let hop = 0; ; ) {
    const request = egress.dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'GET',
      headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': USER_AGENT },
      signal: watch.signal,
      ...{ wire: fileLimits(maxBytes) },
    });
    const response = await watch.within(firstByteMs, 'no answer', request);
    // Whoever gives up while nobody reads must not bring the process down by an error without a listener.
    response.body.on('error', () => undefined);
    const location = [response.headers['location']].flat()[0];
    if (REDIRECTS.includes(response.statusCode) && location !== undefined) {
      response.body.destroy();
      hop += 1;
      if (hop > maxRedirects) throw new EgressError('redirects', `more than ${maxRedirects} redirects`);
      url = nextHop(egress, url, locationOf(location));
      continue;
    }
    const otherwise = refuses(response.statusCode) ? unescaped(url.href) : undefined;
    if (otherwise === undefined) return response;
    response.body.destroy();
    url = egress.admitLink(otherwise);
  }
}

const refuses = (status: number): boolean => status >= 400 && !isRetryable('http', status);

function nextHop(egress: Pick<Guard, 'admitLink'>, from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw new EgressError('redirects', 'the redirect leads to no URL');
  return egress.admitLink(new URL(location, from.href).href);
}

/** A file in one part is whole too, and some hosts answer with no other. */
function isWhole(status: number, headers: Dispatcher.ResponseData['headers']): boolean {
  const range = /^bytes 0-(\d+)\/(\d+)$/i.exec(String(headers['content-range']));
  return status === 200 || status === 203 || (status === 206 && range !== null && Number(range[1]) + 1 === Number(range[2]));
}

function describe(response: Dispatcher.ResponseData, { maxBytes, idleMs }: typeof LIMITS, watch: Watch): Download {
  const { statusCode: status, headers, body } = response;
  if (!isWhole(status, headers)) {
    throw new EgressError('http', `the download was answered with status ${status}`, {
      status,
      retryAfterMs: retryAfterMs(headers['retry-after'], Date.now()),
    });
  }
  const announced = [headers['content-length']].flat()[0];
  const coding = headers['content-encoding'];
  const onTheWay = announced === undefined ? undefined : Number(announced);
  if (onTheWay !== undefined && onTheWay > maxBytes) throw tooLarge(maxBytes);
  let contentLength = isCoded(coding) ? undefined : onTheWay;
  const onPacked = () => {
    contentLength = undefined;
  };
  const contentType = [headers['content-type']].flat()[0];
  return {
    status,
    headers,
    endsByClose: announced === undefined && headers['transfer-encoding'] === undefined && !isCoded(coding),
    get contentLength() {
      return contentLength;
    },
    ...(contentType === undefined ? {} : { contentType }),
    body: read(body, { coding, onPacked }, { maxBytes, idleMs }, watch),
    cancel: () => watch.giveUp(),
  };
}

async function* read(
  body: AsyncIterable<Uint8Array>,
  { coding, onPacked }: { coding: string | string[] | undefined; onPacked: () => void },
  limits: { maxBytes: number; idleMs: number },
  watch: Watch,
): AsyncGenerator<Uint8Array> {
  try {
    yield* unlessGzip(decode(wire(body, limits, watch), coding, limits), limits, onPacked);
    watch.done();
  } catch (error) {
    throw asEgressError(error, watch, 'truncated');
  } finally {
    watch.giveUp();
  }
}

/** The bytes as they arrive. Decoding them takes our time, not the server's. */
async function* wire(
  body: AsyncIterable<Uint8Array>,
  { maxBytes, idleMs }: { maxBytes: number; idleMs: number },
  watch: Watch,
): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  let received = 0;
  for (;;) {
    const { done, value } = await watch.within(idleMs, 'no data', chunks.next());
    if (done) return;
    received += value.length;
    if (received > maxBytes) throw tooLarge(maxBytes);
    yield value;
  }
}

const tooLarge = (maxBytes: number): EgressError => new EgressError('too_large', `the download is larger than ${maxBytes} bytes`);

const CODING_CODES: Readonly<Record<ContentCodingProblem, EgressErrorCode>> = {
  unknown: 'undecodable',
  corrupt: 'undecodable',
  truncated: 'truncated',
  too_large: 'too_large',
};

/** Our own reason for stopping wins over how the connection then broke. */
function asEgressError(error: unknown, watch: Watch, otherwise: 'connect' | 'truncated' = 'connect'): EgressError {
  if (error instanceof EgressError) return error;
  if (error instanceof WireLimitError) return asEgress(error);
  if (error instanceof ContentCodingError) return new EgressError(CODING_CODES[error.problem], error.message, { cause: error });
  if (watch.signal.reason instanceof EgressError) return watch.signal.reason;
  const words = otherwise === 'connect' ? 'the connection broke' : 'the download was cut short';
  return new EgressError(otherwise, `${words} (${reasonOf(error)})`, { cause: error });
}
