import type { ModelView } from '@grsai-jobs/jobs';
import { waitFor } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { chat, type Job, shareStack } from './stack.ts';

const freshStack = shareStack({ emulator: { taskMs: 200, chatMs: 200 }, catalogue: true });

/** One model of each family of upstream.md §9, with the fields that this family takes. */
const FAMILIES = [
  { model: 'nano-banana-2', aspect_ratio: '1:4', image_size: '2K' },
  { model: 'nano-banana-pro', aspect_ratio: '16:9', image_size: '4K' },
  { model: 'nano-banana-2-lite', aspect_ratio: 'auto' },
  { model: 'gpt-image-2', aspect_ratio: '3:2' },
  { model: 'gpt-image-2-vip', aspect_ratio: '2048x1152', quality: 'medium' },
  { model: 'gpt-image-2.5', aspect_ratio: '1:1', quality: 'auto' },
  { model: 'gpt-image-2.5-flare', aspect_ratio: '1024x1024', quality: 'low' },
  { model: 'gpt-image-2.5-sunburst', aspect_ratio: '3840x2160', quality: 'max', background: 'transparent' },
];

const REFERENCE = `data:image/png;base64,${Buffer.from('\x89PNG\r\n\x1a\n0000', 'latin1').toString('base64')}`;

test('when one job of each image family is sent, by tasks and by generations, then each is stored and upstream got its own field names', async () => {
  const stack = await freshStack();
  const send = async (body: object) => (await stack.tenant.post<Job>('/v1/jobs', body)).id;
  const tasks = FAMILIES.map((fields) => ({
    type: 'image',
    input: { prompt: `family ${fields.model}`, images: [REFERENCE], ...fields },
  }));
  const held = FAMILIES.map(({ model, aspect_ratio }) => ({
    type: 'image',
    via: 'generations',
    input: { prompt: `held ${model}`, model, aspect_ratio },
  }));
  for (const id of await Promise.all([...tasks, ...held].map(send))) {
    const job = await stack.tenant.finished(id);
    expect({ model: id, status: job.status, error: job.error, images: job.result?.images?.length }).toEqual({
      model: id,
      status: 'succeeded',
      error: null,
      images: 1,
    });
  }
  const bodies = stack.emulator.requests
    .filter((request) => request.kind === 'image')
    .map((request) => JSON.parse(request.body) as object);
  expect(bodies).toContainEqual({
    model: 'nano-banana-pro',
    prompt: 'family nano-banana-pro',
    images: [REFERENCE],
    aspectRatio: '16:9',
    imageSize: '4K',
    replyType: 'async',
  });
  expect(stack.emulator.ledger.submitsOf({ kind: 'generations' })).toHaveLength(FAMILIES.length);
});

test('when chats are sent plain and streamed then both completions are whole, vendor fields and Chinese text included', async () => {
  const stack = await freshStack();
  const text = '三个想法：纸灯塔、雾与晨光。';
  const send = async (more: object) =>
    (
      await stack.tenant.post<Job>('/v1/jobs', {
        ...chat(stack.receiver),
        input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: `[[reply=${text}]]` }], ...more },
      })
    ).id;
  const [plain, streamed] = await Promise.all([send({}), send({ stream: true })]);
  for (const id of [plain, streamed]) {
    const job = await stack.tenant.finished(id ?? '');
    expect(job).toMatchObject({
      status: 'succeeded',
      result: { choices: [{ message: { role: 'assistant', content: text }, finish_reason: 'stop' }] },
    });
  }
  // The vendor's sample has an empty `object` and Azure's filter results (upstream.md §6.1); nothing of it is lost on the way.
  const { result } = await stack.tenant.job(plain ?? '');
  expect(result).toMatchObject({
    object: '',
    system_fingerprint: '',
    usage: { prompt_tokens_details: null },
    choices: [{ content_filter_results: { hate: { filtered: false } } }],
  });
  expect(
    stack.emulator.requests
      .filter((request) => request.kind === 'chat')
      .map((request) => (JSON.parse(request.body) as { stream: boolean }).stream)
      .sort(),
  ).toEqual([false, true]);
});

test('when a worker has read the list of models then callers see it, and a job of a model that the list has as closed is accepted with a warning', async () => {
  const stack = await freshStack();
  const listed = async () => {
    const { data } = await stack.tenant.get<{ data: ModelView[] }>('/v1/models');
    return data.find(({ id, price_source }) => id === 'minimax-h3' && price_source === 'list');
  };
  const video = await waitFor(listed, { what: 'the list of models' });
  expect(video).toMatchObject({ type: 'video', price: { per_second: { '480p': 2500 } } });
  const order = { type: 'image', input: { model: 'nano-banana', prompt: 'x' } };
  expect(await stack.tenant.post('/v1/jobs', order)).toMatchObject({
    status: 'queued',
    warnings: [{ pointer: '/input/model', code: 'model_closed', message: expect.stringContaining('by the list of ') }],
  });
});
