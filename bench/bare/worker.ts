import { type Job, Queue, Worker } from 'bullmq';
import { request } from 'undici';
import { answerQuestions } from '../lib/children.ts';
import type { ChatJob } from '../lib/job.ts';
import type { Connection } from '../lib/redis.ts';

/** Two queues and two POSTs, with nothing kept of a job but its entry. */
export interface BareWorkerQuestion {
  readonly redis: Connection;
  readonly upstream: string;
  /** The same as our worker's. */
  readonly concurrency: { readonly call: number; readonly deliver: number };
}

interface Delivery {
  readonly id: string;
  readonly url: string;
  readonly body: string;
}

answerQuestions(async ({ redis: connection, upstream, concurrency }: BareWorkerQuestion): Promise<void> => {
  const deliveries = new Queue<Delivery>('deliver', { connection });
  await deliveries.waitUntilReady();

  const call = async ({ id = '', data }: Job<ChatJob>): Promise<void> => {
    const answer = await request(`${upstream}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-0123456789abcdef0123456789abcdef' },
      body: JSON.stringify({ ...data.input, stream: false }),
    });
    if (answer.statusCode !== 200) throw new Error(`upstream answered ${answer.statusCode}`);
    const result: unknown = await answer.body.json();
    const body = JSON.stringify({ id, type: 'job.succeeded', data: { id, status: 'succeeded', input: data.input, result } });
    await deliveries.add('deliver', { id, url: data.webhook.url, body }, { removeOnComplete: true });
  };

  const deliver = async ({ data }: Job<Delivery>): Promise<void> => {
    const answer = await request(data.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'webhook-id': data.id },
      body: data.body,
    });
    await answer.body.dump();
    if (answer.statusCode >= 300) throw new Error(`the receiver answered ${answer.statusCode}`);
  };

  new Worker('call', call, { connection, concurrency: concurrency.call });
  new Worker('deliver', deliver, { connection, concurrency: concurrency.deliver });
});
