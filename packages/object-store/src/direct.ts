import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { S3RequestPresigner } from '@aws-sdk/s3-request-presigner';
import { getEndpointFromInstructions } from '@smithy/core/endpoints';
import { buildQueryString, extendedEncodeURIComponent, HttpRequest } from '@smithy/core/protocols';

/** Where the objects of a bucket are, and what signs requests that go there. */
interface Place {
  readonly url: URL;
  readonly signing: { readonly signingRegion?: string; readonly signingService?: string };
  readonly signer: Awaited<ReturnType<S3Client['config']['signer']>>;
}

/** What a store said to a request, its body unread. Rejects with what broke the request. */
export type Answer = Promise<{ response: { readonly statusCode: number; readonly body: Readable } }>;

export interface DirectPut {
  readonly key: string;
  readonly bytes: Uint8Array;
  /** Of the bytes, in hex. Goes into the signature. */
  readonly sha256: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The two requests that each result takes, a put and a link, made by the SDK's signer and sent over its connections, without what else it does for a
 * command: the address, the region and the form of a request are the same for all objects of a bucket (*measured*: 280 µs of CPU a put in place of
 * 650, 60 µs a link in place of 520). Whatever does not go well is for the SDK to read and repeat.
 */
export class Direct {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #presigner: S3RequestPresigner;
  #place: Promise<Place | null> | undefined;

  constructor(client: S3Client, bucket: string) {
    const { credentials, region, sha256 } = client.config;
    this.#client = client;
    this.#bucket = bucket;
    this.#presigner = new S3RequestPresigner({ credentials, region, sha256 });
  }

  /** A link for a GET; `null` where only the SDK can sign. */
  async link(key: string, query: Record<string, string>, o: { expiresIn: number; signingDate: Date }): Promise<string | null> {
    const place = await this.#find();
    if (place === null) return null;
    const request = requestAt(place.url, 'GET', key, { query: { 'x-id': 'GetObject', ...query } });
    const { path, query: signed = {} } = await this.#presigner.presign(request, { ...place.signing, ...o });
    return `${place.url.origin}${path}?${buildQueryString(signed)}`;
  }

  /**
   * Puts bytes; `stored` once the store has said yes, `null` where only the SDK can sign. Without "Expect: 100-continue", for which the SDK opens a
   * connection for each body above 2 MiB.
   */
  async put({ key, bytes, sha256, headers: more, signal }: DirectPut): Promise<'stored' | { answer: Answer } | null> {
    const place = await this.#find();
    if (place === null) return null;
    const { config } = this.#client;
    const headers = {
      ...more,
      host: place.url.host,
      'content-length': String(bytes.length),
      'x-amz-content-sha256': sha256,
    };
    const request = requestAt(place.url, 'PUT', key, { query: { 'x-id': 'PutObject' }, headers, body: bytes });
    const signingDate = new Date(Date.now() + config.systemClockOffset);
    const signed = await place.signer.sign(request, { ...place.signing, signingDate });
    const answer: Answer = config.requestHandler.handle(
      signed as HttpRequest,
      signal === undefined ? {} : { abortSignal: signal },
    );
    try {
      const { response } = await answer;
      if (response.statusCode !== 200) return { answer };
      await finished(response.body.resume());
      return 'stored';
    } catch (error) {
      const failed: Answer = Promise.reject(error);
      failed.catch(() => undefined);
      return { answer: failed };
    }
  }

  #find(): Promise<Place | null> {
    this.#place ??= placeOf(this.#client, this.#bucket).catch((error) => {
      this.#place = undefined;
      throw error;
    });
    return this.#place;
  }
}

/** `null` where requests are signed otherwise than by Signature Version 4: buckets in one zone, access points in many regions. */
async function placeOf({ config }: S3Client, bucket: string): Promise<Place | null> {
  const { url, properties } = await getEndpointFromInstructions({ Bucket: bucket }, GetObjectCommand, config);
  const scheme = properties?.['authSchemes']?.[0];
  if (scheme?.name !== 'sigv4') return null;
  const { signingRegion, signingName: signingService } = scheme;
  return { url, signing: { signingRegion, signingService }, signer: await config.signer(scheme) };
}

function requestAt(
  { protocol, hostname, port, pathname }: URL,
  method: string,
  key: string,
  rest: Pick<Partial<HttpRequest>, 'query' | 'headers' | 'body'>,
): HttpRequest {
  const path = `${pathname.replace(/\/$/, '')}/${key.split('/').map(extendedEncodeURIComponent).join('/')}`;
  return new HttpRequest({ protocol, hostname, ...(port === '' ? {} : { port: Number(port) }), method, path, ...rest });
}
