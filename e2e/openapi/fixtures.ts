import { waitFor } from '@grsai-jobs/testkit';
import { chat, image, type Stack } from '../stack.ts';

/** The values of the parameters in a path. */
export type PathValues = Record<string, string>;

const newJob = async (stack: Stack, body: object): Promise<string> =>
  (await stack.tenant.post<{ id: string }>('/v1/jobs', body)).id;

/** Synchronous calls end at once, where a task upstream is first polled after 12 seconds. */
const endedImage = async (stack: Stack): Promise<string> => {
  const id = await newJob(stack, image(stack.receiver, 'a picture', { via: 'generations' }));
  await stack.tenant.finished(id);
  return id;
};

const canceledJob = async (stack: Stack): Promise<string> => {
  const id = await newJob(stack, image(stack.receiver, 'to be canceled'));
  await stack.tenant.post(`/v1/jobs/${id}/cancel`, {});
  await stack.tenant.finished(id);
  return id;
};

const endedChat = async (stack: Stack): Promise<string> => {
  const id = await newJob(stack, chat(stack.receiver));
  await stack.tenant.finished(id);
  return id;
};

/** A delivery that is over. */
const deliveredHook = async (stack: Stack): Promise<string> => {
  const job = await endedChat(stack);
  const delivered = async () => (await stack.tenant.job(job)).webhook.state === 'delivered' || undefined;
  await waitFor(delivered, { what: `the webhook of ${job} to be delivered` });
  return `evt_${job.slice(4)}_1_job_succeeded`;
};

const newBatch = async (stack: Stack, ...items: object[]): Promise<string> =>
  (await stack.tenant.post<{ id: string }>('/v1/batches', { items: items.map((item, i) => ({ custom_id: `n${i}`, ...item })) }))
    .id;

const endedBatch = async (stack: Stack): Promise<string> => {
  const unknown = { input: { model: 'no-such-model', messages: [{ role: 'user', content: 'x' }] } };
  const id = await newBatch(stack, chat(stack.receiver), chat(stack.receiver, 'x', unknown));
  await waitFor(
    async () => (await stack.tenant.get<{ status: string }>(`/v1/batches/${id}`)).status === 'completed' || undefined,
    {
      timeoutMs: 20_000,
      everyMs: 50,
      what: 'the batch to end',
    },
  );
  return id;
};

const newKey = async (stack: Stack): Promise<string> =>
  (await stack.admin.post<{ id: string }>('/admin/v1/keys', { tenant: 'acme', name: 'k', scopes: ['jobs:read'] })).id;

/** Many jobs at a low rate: it runs for as long as the test does. */
const newBulk = async (stack: Stack): Promise<string> => {
  for (let n = 0; n < 3; n += 1) await newJob(stack, image(stack.receiver, 'one of many'));
  const order = { action: 'cancel', filter: { status: ['queued', 'running'] }, rate_per_min: 1, reason: 'r' };
  return (await stack.admin.post<{ id: string }>('/admin/v1/bulk-actions', order)).id;
};

const abortedBulk = async (stack: Stack): Promise<string> => {
  const id = await newBulk(stack);
  await stack.admin.post(`/admin/v1/bulk-actions/${id}/abort`, { reason: 'r' });
  return id;
};

/**
 * What stands behind the parameters of a path, by operationId, made anew for each request: the document's own ids name nothing that
 * exists. An operation with parameters in its path needs a row here.
 */
export const FIXTURES: Readonly<Record<string, (stack: Stack) => Promise<PathValues>>> = {
  getJob: async (stack) => ({ id: await endedImage(stack) }),
  watchJob: async (stack) => ({ id: await endedChat(stack) }),
  streamJob: async (stack) => ({ id: await endedChat(stack) }),
  getJobImage: async (stack) => ({ id: await endedImage(stack), n: '0' }),
  cancelJob: async (stack) => ({ id: await newJob(stack, image(stack.receiver, 'a slow picture')) }),
  retryJob: async (stack) => ({ id: await canceledJob(stack) }),
  getWebhookDelivery: async (stack) => ({ id: await deliveredHook(stack) }),
  resendWebhookDelivery: async (stack) => ({ id: await deliveredHook(stack) }),
  getBatch: async (stack) => ({ id: await endedBatch(stack) }),
  listBatchResults: async (stack) => ({ id: await endedBatch(stack) }),
  listBatchErrors: async (stack) => ({ id: await endedBatch(stack) }),
  cancelBatch: async (stack) => ({ id: await newBatch(stack, image(stack.receiver, 'a slow picture')) }),
  retryFailedJobs: async (stack) => ({ id: await endedBatch(stack) }),
  deleteJob: async (stack) => ({ id: await canceledJob(stack) }),
  getAnyJob: async (stack) => ({ id: await endedChat(stack) }),
  getAnyBatch: async (stack) => ({ id: await endedBatch(stack) }),
  getAnyWebhookDelivery: async (stack) => ({ id: await deliveredHook(stack) }),
  resendAnyWebhookDelivery: async (stack) => ({ id: await deliveredHook(stack) }),
  requeueJob: async (stack) => ({ id: await canceledJob(stack) }),
  getModel: async () => ({ id: 'nano-banana-2' }),
  changeQueue: async () => ({ name: 'submit' }),
  readTenant: async ({ tenantName }) => ({ tenant: tenantName }),
  changeTenant: async () => ({ tenant: 'admin' }),
  listQueueEntries: async () => ({ name: 'submit' }),
  getBulkAction: async (stack) => ({ id: await newBulk(stack) }),
  abortBulkAction: async (stack) => ({ id: await newBulk(stack) }),
  resumeBulkAction: async (stack) => ({ id: await abortedBulk(stack) }),
  deleteKey: async (stack) => ({ id: await newKey(stack) }),
};
