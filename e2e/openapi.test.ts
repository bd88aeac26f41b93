import { BATCH_EVENTS, JOB_EVENTS } from '@grsai-jobs/jobs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import {
  type Answer,
  exampleOf,
  examplesOf,
  hooks,
  isRequired,
  type Located,
  misfits,
  openapi,
  operations,
} from './openapi/document.ts';
import { FIXTURES, type PathValues } from './openapi/fixtures.ts';
import { requestsOf, type Shown } from './openapi/requests.ts';
import { chat, image, type Stack, startStack } from './stack.ts';

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate({ ...structuredClone(openapi) });
  expect([valid, errors]).toEqual([true, undefined]);
  expect(validator.version).toBe('3.1');
});

test('every operation has a name of its own, a summary, and an example for each parameter, body and answer', () => {
  const missing = operations.flatMap(({ name, path, operation }) => {
    const { operationId, summary, parameters = [], requestBody, responses } = operation;
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, each]) => each);
    return [
      ...(operationId === undefined ? ['an operationId'] : []),
      ...(summary === undefined ? ['a summary'] : []),
      ...inPath
        .filter((each) => !parameters.some((one) => one.in === 'path' && one.name === each))
        .map((each) => `a parameter ${each}`),
      ...parameters.filter((each) => exampleOf(each) === undefined).map((each) => `an example of ${each.name}`),
      ...Object.entries(requestBody?.content ?? {}).flatMap(([type, media]) =>
        examplesOf(media).length === 0 ? [`an example of the ${type} to send`] : [],
      ),
      ...Object.entries(responses).flatMap(([status, { content = {} }]) =>
        Object.entries(content).flatMap(([type, media]) =>
          examplesOf(media).length === 0 ? [`an example of the answer ${status} ${type}`] : [],
        ),
      ),
      ...(inPath.length > 0 && FIXTURES[operationId ?? ''] === undefined ? ['a row in e2e/openapi/fixtures.ts'] : []),
    ].map((what) => `${name} lacks ${what}`);
  });
  expect(missing).toEqual([]);
  const ids = [...operations, ...hooks].map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

test('every example of the document fits its schema', () => {
  const wrong = [...operations, ...hooks].flatMap(({ name, at, operation }) => {
    const bodies = Object.entries(operation.requestBody?.content ?? {}).map(([type, media]) => ({
      at: [...at, 'requestBody', 'content', type, 'schema'],
      media,
    }));
    const answers = Object.entries(operation.responses).flatMap(([status, { content = {} }]) =>
      Object.entries(content).map(([type, media]) => ({ at: [...at, 'responses', status, 'content', type, 'schema'], media })),
    );
    return [...bodies, ...answers].flatMap((each) =>
      examplesOf(each.media).flatMap(([example, value]) => misfits(each.at, value).map((why) => `${name}, ${example}: ${why}`)),
    );
  });
  expect(wrong).toEqual([]);
});

test('the webhooks of the document are the event types of jobs and batches, each with the signature headers', () => {
  expect(Object.keys(openapi.webhooks)).toEqual(expect.arrayContaining([...JOB_EVENTS, ...BATCH_EVENTS]));
  for (const { operation } of hooks) {
    const headers = operation.parameters?.filter((each) => each.in === 'header' && each.required === true);
    expect(headers?.map((each) => each.name)).toEqual(['webhook-id', 'webhook-timestamp', 'webhook-signature']);
    expect(examplesOf(operation.requestBody?.content['application/json'] ?? {})).not.toEqual([]);
  }
});

/** Sends a request as the document shows it. */
async function send(stack: Stack, { path, method, operation }: Located, shown: Shown, values: PathValues): Promise<Response> {
  const url = new URL(stack.url + path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? '')));
  for (const [name, value] of Object.entries(shown.query)) url.searchParams.set(name, value);
  const { key } = path.startsWith('/admin/') || path === '/readyz' ? stack.admin : stack.tenant;
  return await fetch(url, {
    method,
    redirect: 'manual',
    headers: { ...(operation.security?.length === 0 ? {} : { authorization: `Bearer ${key}` }), ...shown.headers },
    ...(shown.body === undefined ? {} : { body: shown.body }),
  });
}

/** What is wrong with an answer by the document. */
async function complaints({ at, operation }: Located, response: Response): Promise<string[]> {
  const status = String(response.status);
  const text = await response.text();
  const documented: Answer | undefined = operation.responses[status];
  if (documented === undefined || response.status >= 400) return [`answered ${status} ${text.slice(0, 500)}`];
  const headers = Object.entries(documented.headers ?? {})
    .filter(([name, header]) => isRequired(header) && response.headers.get(name) === null)
    .map(([name]) => `${status} came without ${name}`);
  const type = response.headers.get('content-type')?.split(';')[0] ?? '';
  const kinds = Object.keys(documented.content ?? {});
  if (kinds.length === 0)
    return text === '' || response.status === 302 ? headers : [...headers, `${status} is said to have no body`];
  if (!kinds.includes(type)) return [...headers, `${status} came as ${type}, not ${kinds.join(' or ')}`];
  const value: unknown = type === 'application/x-ndjson' || !type.endsWith('json') ? text : JSON.parse(text);
  return [...headers, ...misfits([...at, 'responses', status, 'content', type, 'schema'], value)];
}

test('when every request that the document shows is sent then each works, and its answer is as documented', async () => {
  const stack = await startStack({ emulator: { taskMs: 200 } });
  const wrong: string[] = [];
  let sent = 0;
  for (const located of operations)
    for (const shown of requestsOf(located)) {
      const values = (await FIXTURES[located.operation.operationId ?? '']?.(stack)) ?? {};
      const response = await send(stack, located, shown, values);
      wrong.push(...(await complaints(located, response)).map((why) => `${located.name} (${shown.what}): ${why}`));
      sent += 1;
    }
  expect(wrong).toEqual([]);
  expect(sent).toBeGreaterThan(operations.length);
});

test('when jobs end in each way then the webhooks that go out are as documented', async () => {
  const stack = await startStack({ emulator: { taskMs: 200 } });
  const post = async (body: object) => (await stack.tenant.post<{ id: string }>('/v1/jobs', body)).id;
  await post(chat(stack.receiver));
  await post(chat(stack.receiver, 'x'.repeat(25_000)));
  await post(image(stack.receiver, 'a picture', { via: 'generations' }));
  await post(image(stack.receiver, 'a violation [[outcome=violation]]', { via: 'generations' }));
  const id = await post(image(stack.receiver, 'to be canceled'));
  await stack.tenant.post(`/v1/jobs/${id}/cancel`, {});
  const received = await stack.receiver.waitFor(5, { timeoutMs: 30_000 });
  const wrong = received.flatMap(({ json }) => {
    const { type } = json as { type: string };
    const schema = ['webhooks', type, 'post', 'requestBody', 'content', 'application/json', 'schema'];
    return misfits(schema, json).map((why) => `${type}: ${why}`);
  });
  expect(wrong).toEqual([]);
  const types = new Set(received.map(({ json }) => (json as { type: string }).type));
  expect([...types].sort()).toEqual(['job.canceled', 'job.failed', 'job.succeeded']);
});
