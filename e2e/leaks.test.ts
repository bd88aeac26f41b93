import { randomBytes } from 'node:crypto';
import { everythingInRedis, freePort, waitFor } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { chat, createClient, image, type Stack, startStack } from './stack.ts';

/** A word that stands nowhere but where this test put it. */
const mark = (what: string): string => `${what}${randomBytes(9).toString('hex')}`;

interface Text {
  where: string;
  text: string;
}

/** Where any of these words stand that should not. */
const found = (words: Readonly<Record<string, string>>, texts: readonly Text[]): string[] =>
  texts.flatMap(({ where, text }) =>
    Object.entries(words).flatMap(([what, word]) => (text.includes(word) ? [`${what} in ${where}: ${around(text, word)}`] : [])),
  );
const around = (text: string, word: string): string => {
  const at = text.indexOf(word);
  return text.slice(Math.max(0, at - 120), at + 60);
};

/** The page, the description, and all that they load: what anybody gets without a key. */
async function publicTexts(stack: Stack): Promise<Text[]> {
  const seen = new Map<string, string>();
  const queue = ['/admin', '/docs', '/openapi.json', '/livez', '/readyz', '/readyz?verbose'];
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    if (seen.has(path)) continue;
    const response = await fetch(stack.url + path);
    const text = await response.text();
    seen.set(path, text);
    if (!/html|javascript|css/.test(response.headers.get('content-type') ?? '')) continue;
    const base = new URL(path.endsWith('/') || /\.\w+$/.test(path) ? path : `${path}/`, stack.url);
    const links = [...text.matchAll(/(?:src|href)="([^"]+)"|from '(\.[^']+)'|import '(\.[^']+)'/g)].map(
      (hit) => hit[1] ?? hit[2] ?? hit[3] ?? '',
    );
    for (const link of links) {
      const { origin, pathname } = new URL(link, base);
      if (origin === stack.url && !pathname.startsWith('/docs/assets')) queue.push(pathname);
    }
  }
  return [...seen].map(([where, text]) => ({ where, text }));
}

/** What another tenant is told of these ids, on every route that takes one. */
async function toldToRival(stack: Stack, jobs: readonly string[], batch: string): Promise<Text[]> {
  const { key } = await stack.admin.post<{ key: string }>('/admin/v1/keys', {
    tenant: 'rival',
    name: 'r',
    scopes: ['jobs:read', 'jobs:write', 'webhooks:write'],
  });
  const rival = createClient(stack.url, key);
  const routes: [string, string, object?][] = [
    ...jobs.flatMap((id): [string, string, object?][] => [
      ['GET', `/v1/jobs/${id}`],
      ['GET', `/v1/jobs/${id}/events`],
      ['GET', `/v1/jobs/${id}/images/0`],
      ['DELETE', `/v1/jobs/${id}`],
      ['POST', `/v1/jobs/${id}/cancel`],
      ['POST', `/v1/jobs/${id}/retry`, {}],
      ['GET', `/v1/webhook-deliveries/evt_${id.slice(4)}_1_job_succeeded`],
      ['POST', `/v1/webhook-deliveries/evt_${id.slice(4)}_1_job_failed/resend`],
    ]),
    ['GET', `/v1/batches/${batch}`],
    ['GET', `/v1/batches/${batch}/results`],
    ['GET', `/v1/batches/${batch}/errors`],
    ['POST', `/v1/batches/${batch}/cancel`],
    ['POST', `/v1/batches/${batch}/retry-failed`, {}],
  ];
  const lists = [
    '/v1/jobs',
    '/v1/batches',
    '/v1/webhook-deliveries',
    `/v1/jobs?batch_id=${batch}`,
    `/v1/webhook-deliveries?job_id=${jobs[0]}`,
  ];
  const texts: Text[] = [];
  for (const [method, path, body] of routes) {
    const response = await rival.send(method, path, body);
    expect.soft(`${method} ${path}: ${response.status}`).toBe(`${method} ${path}: 404`);
    texts.push({ where: `${method} ${path} of another tenant`, text: await response.text() });
  }
  for (const path of lists)
    texts.push({ where: `GET ${path} of another tenant`, text: await (await rival.send('GET', path)).text() });
  return texts;
}

test('when jobs of every kind have run then no key, secret or link stands where others read, and no prompt in a log', async () => {
  const words = {
    prompt: mark('prompt'),
    'a text of a chat': mark('chat'),
    metadata: mark('metadata'),
    'the query of a webhook': mark('query'),
    'the path of a webhook': mark('path'),
    'what a receiver answered': mark('answer'),
    'a wrong key': `gj_${mark('wrong')}`,
  };
  const secrets = {
    'the upstream key': `sk-0${randomBytes(16).toString('hex').slice(1)}`,
    'the first key': mark('the-first-key-'),
    SECRETS_KEY: randomBytes(32).toString('base64'),
    METRICS_TOKEN: mark('metrics-token-'),
  };
  const health = await freePort();
  const stack = await startStack({
    emulator: { taskMs: 200, chatMs: 5, keys: [secrets['the upstream key']] },
    env: {
      GRSAI_API_KEY: secrets['the upstream key'],
      ADMIN_API_KEY: secrets['the first key'],
      SECRETS_KEY: secrets.SECRETS_KEY,
      METRICS_TOKEN: secrets.METRICS_TOKEN,
      HEALTH_PORT: String(health),
      LOG_LEVEL: 'trace',
    },
  });
  const hooks = `${stack.receiver.url}/${words['the path of a webhook']}?token=${words['the query of a webhook']}`;
  stack.receiver.respond(({ body }) =>
    body.includes('job.failed') ? { status: 500, body: words['what a receiver answered'] } : 200,
  );
  const more = { webhook: { url: hooks }, metadata: { [words.metadata]: words.metadata } };
  const target = { url: hooks };
  const post = async (body: object) => (await stack.tenant.post<{ id: string }>('/v1/jobs', body)).id;
  const [text, picture] = [words['a text of a chat'], words.prompt];
  const jobs = await Promise.all([
    post(chat(target, text, more)),
    post(chat(target, `${text}${'x'.repeat(25_000)}`, more)),
    post(image(target, picture, more)),
    post(image(target, `${picture} [[outcome=violation]]`, { via: 'generations', ...more })),
    post(
      image(target, `${picture} [[outcome=failed]] [[error=something odd]] [[echo=prompt-first]]`, { max_attempts: 1, ...more }),
    ),
    post(chat(target, `${text} [[fault=F24:text=something odd]] [[echo=both]]`, { max_attempts: 1, ...more })),
  ]);
  const batch = (
    await stack.tenant.post<{ id: string }>('/v1/batches', {
      items: [
        { custom_id: 'a', ...chat(target, text, more) },
        { custom_id: 'b', ...image(target, picture, { via: 'generations', ...more }) },
      ],
    })
  ).id;
  const ended = await Promise.all(jobs.map((id) => stack.tenant.finished(id)));
  await waitFor(async () => (await stack.tenant.get<{ status: string }>(`/v1/batches/${batch}`)).status === 'completed', {
    timeoutMs: 30_000,
    what: 'the batch to end',
  });
  expect(ended.map(({ status }) => status).filter((status) => status === 'succeeded').length).toBeGreaterThanOrEqual(3);
  expect(ended.map(({ status }) => status)).toContain('failed');

  // A refusal that nobody knows and that repeats what it was sent, until the model is paused for it.
  stack.emulator.configure({
    echo: 'both',
    refusals: [{ status: 400, text: 'the flux is unwell', model: 'odd-model', on: ['chat'] }],
  });
  const refused = chat(target, text, { max_attempts: 1, ...more });
  await Promise.all(Array.from({ length: 12 }, () => post({ ...refused, input: { ...refused.input, model: 'odd-model' } })));
  await stack.worker.waitForLine((line) => line['event'] === 'queues.paused', { timeoutMs: 30_000 });

  // Refusals of many kinds, so that the log has those lines too.
  for (const authorization of [
    `Bearer ${words['a wrong key']}`,
    `Basic ${Buffer.from(`x:${words['a wrong key']}`).toString('base64')}`,
  ])
    expect((await fetch(`${stack.url}/v1/jobs`, { headers: { authorization } })).status).toBe(401);
  for (const body of [`{"type":"chat","${picture}":`, { type: picture }, { ...chat(target, text), extra: picture }])
    expect((await stack.tenant.send('POST', '/v1/jobs', body)).status).toBeLessThan(500);
  const { secret } = await stack.tenant.post<{ secret: string }>('/v1/webhook-secret/rotate', {});
  const [withImage] = ended.filter(({ result }) => result?.images !== undefined);
  const link = new URL(withImage?.result.images?.[0]?.url ?? 'http://none');
  const keys = {
    ...secrets,
    "a tenant's key": stack.tenant.key,
    'a webhook secret': secret.slice('whsec_'.length),
    'the key of S3': stack.s3.credentials.secretAccessKey,
  };
  const links = {
    'the signature of a link': link.searchParams.get('X-Amz-Signature') ?? 'none',
    'a task id': withImage?.upstream?.task_id ?? 'none',
  };
  expect(Object.values(links)).not.toContain('none');

  const logs = [stack.api, stack.worker].flatMap(({ lines }, n) =>
    lines.map(({ raw }) => ({ where: n === 0 ? 'the log of the API' : 'the log of the worker', text: raw })),
  );
  const auth = { headers: { authorization: `Bearer ${secrets.METRICS_TOKEN}` } };
  const metrics = await Promise.all(
    [`${stack.url}/metrics`, `http://127.0.0.1:${health}/metrics`].map(async (where) => ({
      where,
      text: await (await fetch(where, auth)).text(),
    })),
  );
  const pages = await publicTexts(stack);
  const rival = await toldToRival(stack, jobs, batch);
  const dump = await everythingInRedis(stack.redis.url);

  // These would find something if it were there.
  expect(found({ prompt: picture, path: words['the path of a webhook'] }, dump)).not.toEqual([]);
  expect(found({ id: jobs[0] ?? '' }, logs)).not.toEqual([]);
  expect(metrics.every(({ text }) => text.includes('grsai_jobs_'))).toBe(true);
  expect(pages.length).toBeGreaterThan(12);

  const all = { ...words, ...keys, ...links };
  expect.soft(found(all, logs)).toEqual([]);
  expect.soft(found({ ...all, ...Object.fromEntries(jobs.map((id) => [id, id])) }, metrics)).toEqual([]);
  expect.soft(found(all, rival)).toEqual([]);
  expect.soft(found(all, pages)).toEqual([]);
  const { 'the signature of a link': signature = '' } = links;
  expect.soft(found({ ...keys, signature, 'a wrong key': words['a wrong key'] }, dump)).toEqual([]);
});
