import { createServer, type IncomingMessage } from 'node:http';
import { Webhook } from 'standardwebhooks';

/** A webhook as it arrived. */
export interface Delivery {
  readonly at: Date;
  readonly id: string;
  readonly type: string;
  readonly jobId: string;
  readonly status: string;
  /** Empty when the signature holds and the body is what the headers say, else what is wrong. */
  readonly problem: string;
}

/** A receiver of webhooks on this machine. */
export interface Receiver {
  readonly url: string;
  readonly deliveries: readonly Delivery[];
  /** The first delivery of a job's last event that was right, or undefined. */
  verified(jobId: string): Delivery | undefined;
  stop(): Promise<void>;
}

/** Starts a receiver that verifies each webhook with the official library and keeps a log of them. */
export async function startReceiver(secret: string): Promise<Receiver> {
  const webhook = new Webhook(secret);
  const deliveries: Delivery[] = [];
  const server = createServer((request, response) => {
    bodyOf(request)
      .then((body) => {
        const delivery = examine(webhook, request, body);
        deliveries.push(delivery);
        response.writeHead(delivery.problem === '' ? 204 : 400).end(delivery.problem);
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the receiver has no port');
  return {
    url: `http://127.0.0.1:${address.port}/hooks`,
    deliveries,
    verified: (jobId) => deliveries.find((delivery) => delivery.jobId === jobId && delivery.problem === ''),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

interface Event {
  readonly id?: string;
  readonly type?: string;
  readonly data?: { readonly id?: string; readonly status?: string };
}

function examine(webhook: Webhook, request: IncomingMessage, body: string): Delivery {
  const header = (name: string) => String(request.headers[name] ?? '');
  const id = header('webhook-id');
  let event: Event = {};
  let problem = '';
  try {
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': header('webhook-timestamp'),
      'webhook-signature': header('webhook-signature'),
    };
    event = webhook.verify(body, headers) as Event;
    if (event.id !== id) problem = `the body says event ${event.id}, the header ${id}`;
    else if (event.type !== `job.${event.data?.status}`)
      problem = `the type ${event.type} does not fit the status ${event.data?.status}`;
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  return { at: new Date(), id, type: event.type ?? '', jobId: event.data?.id ?? '', status: event.data?.status ?? '', problem };
}
