import { expect, test } from 'vitest';
import { startApi } from './api.ts';

test('when a field is known to be wrong for its model then it is refused before it costs money, and what nobody knows is passed on with a warning', async () => {
  const api = await startApi();
  const wrong: readonly [object, string][] = [
    [{ model: 'gpt-image-2-vip', prompt: 'x', aspect_ratio: '16:9' }, '/input/aspect_ratio'],
    [{ model: 'gpt-image-2.5-flare', prompt: 'x', aspect_ratio: '1000x1000' }, '/input/aspect_ratio'],
    [{ model: 'gpt-image-2', prompt: 'x', image_size: '4K' }, '/input/image_size'],
    [{ model: 'nano-banana-pro', prompt: 'x', aspect_ratio: '1:8' }, '/input/aspect_ratio'],
    [{ model: 'gpt-image-2-vip', prompt: 'x', background: 'transparent' }, '/input/background'],
    [{ model: 'gpt-image-2', prompt: 'x', quality: 'high' }, '/input/quality'],
  ];
  for (const [input, pointer] of wrong) {
    const response = await api.tenant.send('POST', '/v1/jobs', { type: 'image', input });
    const problem = (await response.json()) as { errors: { pointer: string; message: string }[] };
    expect({ input, status: response.status, pointers: problem.errors?.map((each) => each.pointer) }).toEqual({
      input,
      status: 422,
      pointers: [pointer],
    });
  }
  const unknown = await api.tenant.send('POST', '/v1/jobs', {
    type: 'image',
    input: { model: 'brand-new-model', prompt: 'x', aspect_ratio: '77:1' },
  });
  expect(unknown.status).toBe(202);
  const open = await api.tenant.send('POST', '/v1/jobs', {
    type: 'image',
    input: { model: 'nano-banana-2', prompt: 'x', image_size: '8K', quality: 'ultra', aspect_ratio: '7:5' },
  });
  expect(open.status).toBe(202);
  const { id, warnings } = (await open.json()) as { id: string; warnings: { pointer: string; code: string }[] };
  expect(warnings.map(({ pointer, code }) => [pointer, code])).toEqual([
    ['/input/aspect_ratio', 'unknown_value'],
    ['/input/image_size', 'unknown_value'],
    ['/input/quality', 'unknown_value'],
  ]);
  expect(await api.tenant.job(id)).not.toHaveProperty('warnings');
  const line = (custom_id: string, effort: string) => ({
    custom_id,
    type: 'chat',
    input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'x' }], reasoning_effort: effort },
  });
  const batch = await api.tenant.send('POST', '/v1/batches', {
    items: [line('a', 'low'), line('b', 'xhigh'), line('c', 'none')],
  });
  expect([batch.status, await batch.json()]).toMatchObject([
    202,
    {
      warnings: {
        count: 2,
        lines: [
          { line: 2, custom_id: 'b', warnings: [{ pointer: '/input/reasoning_effort', code: 'unknown_value' }] },
          { line: 3, custom_id: 'c' },
        ],
      },
    },
  ]);
  const held = await api.tenant.send('POST', '/v1/jobs', {
    type: 'image',
    via: 'generations',
    input: { model: 'nano-banana-2', prompt: 'x', image_size: '2K' },
  });
  expect(await held.json()).toMatchObject({ errors: [{ pointer: '/input/image_size' }] });
});
