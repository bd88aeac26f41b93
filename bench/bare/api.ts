import type { AddressInfo } from 'node:net';
import { Queue } from 'bullmq';
import express from 'express';
import { z } from 'zod';
import { answerQuestions } from '../lib/children.ts';
import type { Connection } from '../lib/redis.ts';

/** What anyone would write in half an hour: Express 5, a zod schema of the same body, one `queue.add`, 202. */
export interface BareApiQuestion {
  readonly redis: Connection;
}

const Part = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string() }),
  z.strictObject({ type: z.literal('image_url'), image_url: z.strictObject({ url: z.string() }) }),
]);

const common = {
  webhook: z.strictObject({ url: z.url(), events: z.array(z.string()).default(['job.succeeded', 'job.failed']) }).optional(),
  metadata: z.record(z.string(), z.string()).default({}),
  priority: z.enum(['low', 'normal', 'high']).default('normal'),
  max_attempts: z.int().min(1).max(10).default(4),
};

const Job = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('chat'),
    input: z.strictObject({
      model: z.string().min(1),
      messages: z
        .array(
          z.strictObject({
            role: z.enum(['system', 'user', 'assistant']),
            content: z.union([z.string().max(32_000), z.array(Part)]),
          }),
        )
        .min(1),
      temperature: z.number().optional(),
      max_tokens: z.int().optional(),
    }),
    ...common,
  }),
  z.strictObject({
    type: z.literal('image'),
    input: z.strictObject({ model: z.string().min(1), prompt: z.string().min(1), images: z.array(z.string()).optional() }),
    ...common,
  }),
]);

answerQuestions(async ({ redis }: BareApiQuestion): Promise<{ url: string }> => {
  const queue = new Queue('call', { connection: redis });
  await queue.waitUntilReady();
  const app = express();
  app.use(express.json({ limit: '20mb' }));
  app.post('/v1/jobs', async (request, response) => {
    const job = Job.safeParse(request.body);
    if (!job.success) {
      response.status(422).json(z.treeifyError(job.error));
      return;
    }
    const { id } = await queue.add('call', job.data, { removeOnComplete: true });
    response.status(202).json({ id, status: 'queued' });
  });
  const server = app.listen(0, '127.0.0.1');
  await new Promise<void>((resolve) => server.once('listening', resolve));
  server.keepAliveTimeout = 65_000;
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
});
