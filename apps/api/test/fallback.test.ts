import { image, line, ndjson, sendLines } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { startApi, type TestApi } from './api.ts';

const send = async (api: TestApi, more: object) => {
  const answer = await api.tenant.send('POST', '/v1/jobs', { ...image(api.receiver), ...more });
  return { http: answer.status, ...((await answer.json()) as { errors?: { pointer: string; message: string }[] }) };
};

test('when a job has models to fall back to then the answer shows them, beside the model that was asked for', async () => {
  const api = await startApi();
  expect(await send(api, { fallback_models: ['nano-banana-pro'] })).toMatchObject({
    status: 'queued',
    model: 'nano-banana-2',
    fallback_models: ['nano-banana-pro'],
  });
});

test.each([
  ['the model of the input', ['nano-banana-2'], '/fallback_models/0', /name another one/],
  ['one model twice', ['nano-banana-pro', 'nano-banana-pro'], '/fallback_models', /each model once/],
  ['more than three', ['a', 'b', 'c', 'd'], '/fallback_models', /at most 3/],
  ['none', [], '/fallback_models', /at least one/],
  ['no name of a model', ['nano banana'], '/fallback_models/0', /letters, digits/],
])('when they name %s then the job is refused', async (_, fallback_models, pointer, message) => {
  const api = await startApi();
  const refused = await send(api, { fallback_models });
  expect(refused).toMatchObject({ http: 422, errors: [{ pointer }] });
  expect(refused.errors?.[0]?.message).toMatch(message);
});

test('when a model to fall back to does not take what is asked for, or its tenant may not use it, then the job and the line are refused', async () => {
  const api = await startApi();
  const input = { model: 'nano-banana-2', prompt: 'p', image_size: '4K' };
  expect(await send(api, { input, fallback_models: ['nano-banana-2-lite'] })).toMatchObject({
    http: 422,
    errors: [{ pointer: '/fallback_models/0', message: expect.stringContaining('nano-banana-2-lite, /input/image_size') }],
  });
  await api.admin.send('PUT', '/admin/v1/tenants/acme', { models: ['nano-banana-2'] });
  expect(await send(api, { fallback_models: ['nano-banana-pro'] })).toMatchObject({ http: 403, code: 'model_not_allowed' });
  const lines = ndjson(
    line('a', { type: 'image', input: { model: 'nano-banana-2', prompt: 'p' }, fallback_models: ['nano-banana-pro'] }),
  );
  expect(await (await sendLines(api, lines)).json()).toMatchObject({ errors: [{ pointer: '/fallback_models/0' }] });
});
