import { LIMITS } from '@grsai-jobs/jobs';
import { createSliceQueue } from '@grsai-jobs/runtime';
import { expect, test } from 'vitest';
import { imageProblems } from './check-request.ts';
import { batchDoc } from './create-batch.ts';
import { createReadItem } from './read-item.ts';
import { inputProblems } from './upload-inputs.ts';

const image = { type: 'image', input: { model: 'nano-banana-2', prompt: 'a lighthouse' } };
const check = (request: Parameters<typeof imageProblems>[0]) => [...imageProblems(request), ...inputProblems(request)];
const reader = (more: Partial<Parameters<typeof batchDoc>[0]> = {}) => {
  const read = createReadItem({ check }, batchDoc({ metadata: {}, ...more }), createSliceQueue().of('acme'));
  let line = 0;
  return (value: unknown) => {
    line += 1;
    return read({ line, bytes: 1, value });
  };
};

test('when an item leaves out priority and expiry then it has those of the batch, else its own', async () => {
  const read = reader({ priority: 'low', expires_in_s: 600 });
  expect(await read({ custom_id: 'a', ...image })).toMatchObject({
    customId: 'a',
    request: { priority: 'low', expires_in_s: 600 },
  });
  expect(await read({ custom_id: 'b', ...image, priority: 'high', expires_in_s: 60 })).toMatchObject({
    request: { priority: 'high', expires_in_s: 60 },
  });
});

test('when the webhook of a batch names types of jobs then items without a webhook have it with these types alone', async () => {
  const url = 'https://caller.example/hooks';
  const read = reader({ webhook: { url, events: ['batch.completed', 'job.failed'] } });
  expect(await read({ custom_id: 'a', ...image })).toMatchObject({ request: { webhook: { url, events: ['job.failed'] } } });
  const own = { url: 'https://other.example/', events: ['job.started'] };
  expect(await read({ custom_id: 'b', ...image, webhook: own })).toMatchObject({ request: { webhook: own } });
  const quiet = await reader({ webhook: { url, events: ['batch.completed'] } })({ custom_id: 'a', ...image });
  expect('request' in quiet && quiet.request.webhook).toBe(undefined);
});

test('when a custom_id comes twice then the second line is wrong, also when the first one was', async () => {
  const read = reader();
  expect(await read({ custom_id: 'a', ...image, priority: 'urgent' })).toMatchObject({
    custom_id: 'a',
    errors: [{ pointer: '/priority' }],
  });
  expect(await read({ custom_id: 'a', ...image })).toEqual({
    custom_id: 'a',
    errors: [{ pointer: '/custom_id', message: 'stands in line 1 already' }],
  });
  expect(await read({ custom_id: 'A', ...image })).toMatchObject({ customId: 'A' });
});

test('when an item says null where it could leave a field out then it has that of the batch', async () => {
  const url = 'https://caller.example/hooks';
  const read = reader({ priority: 'low', webhook: { url, events: ['job.failed'] } });
  const nothing = { priority: null, webhook: null, metadata: null, output: null, via: null };
  expect(await read({ custom_id: 'a', ...image, ...nothing, input: { ...image.input, images: null } })).toEqual({
    customId: 'a',
    request: expect.objectContaining({
      priority: 'low',
      webhook: { url, events: ['job.failed'] },
      metadata: {},
      input: image.input,
    }),
  });
});

const inline = (bytes: Uint8Array) => `data:image/png;base64,${Buffer.from(bytes).toString('base64')}`;

test.each<[string, unknown, string[]]>([
  ['null', null, ['']],
  ['a list', [], ['']],
  ['no custom_id', image, ['/custom_id']],
  ['an empty custom_id', { ...image, custom_id: '' }, ['/custom_id']],
  ['a custom_id of 65', { ...image, custom_id: 'a'.repeat(65) }, ['/custom_id']],
  ['a custom_id with a space', { ...image, custom_id: 'a b' }, ['/custom_id']],
  ['a custom_id with a line end', { ...image, custom_id: 'a\n' }, ['/custom_id']],
  ['a number as custom_id', { ...image, custom_id: 7 }, ['/custom_id']],
  ['an unknown field', { ...image, custom_id: 'a', retries: 1 }, ['/retries']],
  ['two wrong fields', { ...image, custom_id: 'a', priority: 'x', max_attempts: 0 }, ['/priority', '/max_attempts']],
  [
    'a size that the model lacks',
    { ...image, custom_id: 'a', input: { ...image.input, aspect_ratio: '9:21' } },
    ['/input/aspect_ratio'],
  ],
  [
    'a large image that is none',
    { ...image, custom_id: 'a', input: { ...image.input, images: [inline(new Uint8Array(LIMITS.recordImageBytes + 1))] } },
    ['/input/images/0'],
  ],
  [
    'a small image without a type that is none',
    { ...image, custom_id: 'a', input: { ...image.input, images: ['data:;base64,aGVsbG8gd29ybGQ='] } },
    ['/input/images/0'],
  ],
  [
    'a large image of a type that results may have, and inputs not',
    {
      ...image,
      custom_id: 'a',
      input: { ...image.input, images: [inline(Buffer.from(`<svg>${' '.repeat(LIMITS.recordImageBytes)}</svg>`))] },
    },
    ['/input/images/0'],
  ],
])('when an item is %s then its wrong fields are reported', async (_what, value, pointers) => {
  const read = await reader()(value);
  expect('errors' in read && read.errors.map(({ pointer }) => pointer)).toEqual(pointers);
});
