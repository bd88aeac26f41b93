import { createHash } from 'node:crypto';
import { buildApp } from 'fauxqs';

/** What the server does instead of its work: `error` answers 503, `denied` refuses the credentials, `refuse` breaks the connection, `hang` never answers. */
export type S3Outage = 'error' | 'denied' | 'refuse' | 'hang';

/** One request that reached the server. */
export interface S3Request {
  readonly method: string;
  /** `/bucket/key`, decoded. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** 0 until it is answered. */
  status: number;
}

/**
 * An S3 server in this process, over real HTTP on 127.0.0.1. It keeps objects in memory, and refuses a body that is not the one whose SHA-256 its
 * signature names; beside that it checks no signatures.
 */
export interface S3Handle {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** The same as variables (`AWS_…`, `S3_…`) for a child process. */
  readonly env: Readonly<Record<string, string>>;
  /** All requests so far, oldest first. */
  readonly requests: readonly S3Request[];
  /** Keys of the bucket, sorted. */
  keys(): Promise<string[]>;
  /** Multipart uploads that were begun and neither completed nor aborted. */
  openUploads(): number;
  /** `true` is `error`. A number makes that many requests fail and then ends the outage. `false` ends it. */
  outage(on: boolean | S3Outage, count?: number): void;
  /** Passes the bodies of uploads through this on their way in, as a broken proxy would, or before they are kept, as a broken disk would. */
  tamper(change: ((body: Buffer) => Buffer) | undefined, where?: 'proxy' | 'disk'): void;
  /** `false`: what is put is answered with an ETag that is no digest, as stores do that encrypt with keys of their own. */
  digests(on: boolean): void;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Marks what the testkit itself asks: not counted, never refused. */
const OWN = 'x-testkit';
/** The most that an S3 server lists at once. */
const PAGE = 1000;

/** The server (fauxqs) takes at most 11 MiB in one request; larger objects need multipart. */
export async function startS3(options: { bucket?: string; region?: string } = {}): Promise<S3Handle> {
  const { bucket = 'test-bucket', region = 'us-east-1' } = options;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'testsecret' };
  const requests: S3Request[] = [];
  const uploads = new Set<string>();
  let broken: { how: S3Outage; left: number } | undefined;
  let digests = true;
  let tampering: { change: (body: Buffer) => Buffer; where: 'proxy' | 'disk' } | undefined;

  // buildApp and not startFauxqs: that one listens on all addresses.
  const app = buildApp({ logger: false, defaultRegion: region });
  app.addHook('onRequest', async (request, reply) => {
    if (OWN in request.headers) return;
    const { pathname } = new URL(request.url, 'http://s3');
    const entry: S3Request = {
      method: request.method,
      path: decodeURIComponent(pathname),
      query: request.query as Record<string, string>,
      headers: request.headers,
      status: 0,
    };
    requests.push(entry);
    reply.raw.once('finish', () => {
      entry.status = reply.raw.statusCode;
      const id = entry.query['uploadId'];
      const ended = entry.method === 'DELETE' || entry.method === 'POST';
      if (id !== undefined && ended && entry.status < 300) uploads.delete(id);
    });
    if (broken === undefined) return;
    const { how } = broken;
    broken.left -= 1;
    if (broken.left <= 0) broken = undefined;
    if (how === 'error') {
      await reply
        .code(503)
        .type('application/xml')
        .send('<Error><Code>ServiceUnavailable</Code><Message>outage</Message></Error>');
      return;
    }
    if (how === 'denied') {
      const why = '<Error><Code>InvalidAccessKeyId</Code><Message>The access key does not exist.</Message></Error>';
      await reply.code(403).type('application/xml').send(why);
      return;
    }
    reply.hijack();
    if (how === 'refuse') request.raw.socket.destroy();
  });
  app.addHook('preHandler', async (request, reply) => {
    if (request.method !== 'PUT' || !Buffer.isBuffer(request.body)) return;
    if (tampering?.where === 'proxy') request.body = tampering.change(request.body);
    const signed = request.headers['x-amz-content-sha256'];
    const sha256 = createHash('sha256')
      .update(request.body as Buffer)
      .digest('hex');
    if (/^[0-9a-f]{64}$/.test(String(signed)) && signed !== sha256) {
      const why = 'The provided x-amz-content-sha256 header does not match what was computed.';
      await reply
        .code(400)
        .type('application/xml')
        .send(`<Error><Code>XAmzContentSHA256Mismatch</Code><Message>${why}</Message></Error>`);
      return;
    }
    if (tampering?.where === 'disk') request.body = tampering.change(request.body as Buffer);
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const text = typeof payload === 'string' ? payload : '';
    const id = /<InitiateMultipartUploadResult[\s\S]*<UploadId>(.*?)<\/UploadId>/.exec(text)?.[1];
    if (id !== undefined) uploads.add(id);
    if (digests) return payload;
    if (request.method === 'PUT' && !request.url.includes('uploadId=')) {
      reply.header('etag', '"opaque"').removeHeader('x-amz-checksum-sha256');
    }
    return text.includes('<CompleteMultipartUploadResult') ? text.replace(/<ETag>.*?<\/ETag>/, '<ETag>opaque</ETag>') : payload;
  });
  const endpoint = await app.listen({ port: 0, host: '127.0.0.1' });
  const created = await app.inject({ method: 'PUT', url: `/${bucket}`, headers: { [OWN]: '1' } });
  if (created.statusCode !== 200) throw new Error(`no bucket: ${created.statusCode} ${created.body}`);

  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= app.close().then(() => undefined);
    return stopped;
  };
  return {
    ...{ endpoint, bucket, region, credentials, requests },
    env: {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: region,
      S3_BUCKET: bucket,
      S3_ENDPOINT: endpoint,
      S3_REGION: region,
      S3_FORCE_PATH_STYLE: 'true',
    },
    keys: async () => {
      const keys: string[] = [];
      for (;;) {
        const after = encodeURIComponent(keys.at(-1) ?? '');
        const url = `/${bucket}?list-type=2&max-keys=${PAGE}&start-after=${after}`;
        const { body } = await app.inject({ method: 'GET', url, headers: { [OWN]: '1' } });
        const page = [...body.matchAll(/<Key>(.*?)<\/Key>/g)].map((match) => match[1] ?? '');
        keys.push(...page);
        if (page.length < PAGE) return keys;
      }
    },
    openUploads: () => uploads.size,
    outage: (on, count = Number.POSITIVE_INFINITY) => {
      broken = on === false ? undefined : { how: on === true ? 'error' : on, left: count };
    },
    tamper: (change, where = 'proxy') => {
      tampering = change && { change, where };
    },
    digests: (on) => {
      digests = on;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
