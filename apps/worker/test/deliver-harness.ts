import { createServer } from 'node:net';
import { createEgress, type Egress } from '@grsai-jobs/egress';
import { endpointNameOf } from '@grsai-jobs/job-store';
import { eventId } from '@grsai-jobs/jobs';
import { newSecret } from '@grsai-jobs/webhooks';
import { onTestFinished } from 'vitest';
import { createDeliverStage } from '../src/stages/deliver.ts';
import { createDeliveries, type DeliveriesDeps } from '../src/webhooks/deliveries.ts';
import { createSlots } from '../src/webhooks/slots.ts';
import { type Harness, newId } from './harness.ts';

export function testEgress(): Egress {
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  onTestFinished(() => egress.close());
  return egress;
}

/** The deliver stage as a worker has it, on the parts and the clock of a test. */
export function deliverStage(harness: Harness, more: Partial<DeliveriesDeps> = {}) {
  const secret = newSecret();
  const deliveries = createDeliveries({
    ...harness,
    egress: testEgress(),
    signLink: async (key, ttlS) => ({ url: `https://s3.example/${key}`, expiresAt: Date.now() + ttlS * 1000 }),
    secretsOf: async () => [secret],
    random: () => 0.5,
    slots: createSlots(() => 50),
    ...more,
  });
  return { handler: createDeliverStage(deliveries), deliveries, secret };
}

/** Pending deliveries whose jobs are gone, as many as one likes at once; their entries are not added. */
export async function addDeliveries(harness: Harness, url: string, count: number, now = harness.clock.now(), tenant = 'acme') {
  const pipeline = harness.redis.pipeline();
  const endpoint = endpointNameOf(tenant, url);
  const entries = Array.from({ length: count }, () => ({ id: eventId(newId(), 1, 'job.failed'), step: 1, endpoint }));
  for (const { id } of entries) {
    const fields = { id, tenant, job_id: `job_${id.split('_')[1]}`, run: 1, type: 'job.failed', url, state: 'pending' };
    pipeline.hset(`{gj}:delivery:${id}`, { ...fields, step: 1, made: 0, created: now, next: now });
    pipeline.zadd('{gj}:due:deliveries', now + 30_000, id);
  }
  await pipeline.exec();
  return entries;
}

/** An address where nobody listens. */
export async function deadUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/hook`;
}
