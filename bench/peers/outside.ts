import { createHash, createHmac, createSecretKey } from 'node:crypto';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { request } from 'undici';
import type { Outcome, PeerBucket, PeerJob, PeerWorld } from './job.ts';

/**
 * What both peers do outside of their queue and store, by the same code and by the client that our worker uses (undici): so they differ in nothing
 * but the queue. Errors are thrown, and retried by the queue.
 */
export interface Outside {
  chat(input: object): Promise<unknown>;
  /** Answers the id of the task. Paid for. */
  submit(input: object): Promise<string>;
  /** The link of the result, or nothing while the task runs. */
  poll(taskId: string): Promise<string | undefined>;
  /** Downloads a result into the bucket. */
  store(jobId: string, link: string): Promise<unknown>;
  /** One attempt of a webhook, signed. */
  deliver(job: PeerJob, outcome: Outcome): Promise<void>;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const PAID = { ...JSON_TYPE, authorization: 'Bearer sk-0123456789abcdef0123456789abcdef' };

export function createOutside({ upstream, secret, s3 }: PeerWorld): Outside {
  const put = s3 === undefined ? undefined : uploads(s3);
  // By Standard Webhooks.
  const key = createSecretKey(Buffer.from(secret.replace('whsec_', ''), 'base64'));

  async function post(path: string, body: object): Promise<Record<string, unknown>> {
    const answer = await request(upstream + path, { method: 'POST', headers: PAID, body: JSON.stringify(body) });
    if (answer.statusCode !== 200) throw new Error(`upstream answered ${answer.statusCode}: ${await answer.body.text()}`);
    return (await answer.body.json()) as Record<string, unknown>;
  }

  return {
    chat: async (input) => await post('/v1/chat/completions', { ...input, stream: false }),
    submit: async (input) => String((await post('/v1/api/generate', { ...input, replyType: 'async' }))['id']),
    poll: async (taskId) => {
      const answer = await request(`${upstream}/v1/api/result?id=${encodeURIComponent(taskId)}`, { headers: PAID });
      if (answer.statusCode !== 200) throw new Error(`upstream answered ${answer.statusCode}: ${await answer.body.text()}`);
      const task = (await answer.body.json()) as { status: string; results?: { url: string }[] };
      if (task.status === 'running') return undefined;
      const url = task.results?.[0]?.url;
      if (url === undefined) throw new Error(`the task is ${task.status}`);
      return url;
    },
    store: async (jobId, link) => {
      if (put === undefined) throw new Error('no bucket');
      const answer = await request(link);
      if (answer.statusCode !== 200) throw new Error(`the file answered ${answer.statusCode}`);
      const bytes = Buffer.from(await answer.body.arrayBuffer());
      const type = String(answer.headers['content-type']);
      const objectKey = `peer/${jobId}/1-0`;
      await put(objectKey, bytes, type);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return { images: [{ index: 0, key: objectKey, content_type: type, bytes: bytes.length, sha256 }] };
    },
    deliver: async ({ id, type, input, metadata, webhookUrl }, outcome) => {
      const data = { id, object: 'job', type, input, metadata, ...outcome };
      const eventId = `evt_${id}`;
      const timestamp = String(Math.floor(Date.now() / 1000));
      const body = JSON.stringify({ id: eventId, type: `job.${outcome.status}`, timestamp: new Date().toISOString(), data });
      const signature = createHmac('sha256', key).update(`${eventId}.${timestamp}.${body}`).digest('base64');
      const answer = await request(webhookUrl, {
        method: 'POST',
        headers: {
          ...JSON_TYPE,
          'webhook-id': eventId,
          'webhook-timestamp': timestamp,
          'webhook-signature': `v1,${signature}`,
        },
        body,
      });
      await answer.body.dump();
      if (answer.statusCode >= 300) throw new Error(`the receiver answered ${answer.statusCode}`);
    },
  };
}

function uploads({ endpoint, bucket: Bucket, region, credentials }: PeerBucket) {
  const s3 = new S3Client({
    ...{ endpoint, region, credentials, forcePathStyle: true },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    // As "Configuring maxSockets" of its guide says: 50 are fewer than may come at once.
    requestHandler: { httpAgent: { maxSockets: 200 } },
  });
  return async (Key: string, Body: Buffer, ContentType: string): Promise<void> => {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType, ContentLength: Body.length }));
  };
}
