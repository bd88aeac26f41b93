import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { chat, createClient, image, type Stack, startStack } from './stack.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

const basic = (key: string) => ({ authorization: `Basic ${Buffer.from(`ann:${key}`).toString('base64')}` });

const get = async (stack: Stack, path: string, headers: Record<string, string> = basic(stack.admin.key)) =>
  await fetch(stack.url + path, { headers });

const startedWithJobs = async () => {
  const stack = await startStack({ workers: 0 });
  await stack.tenant.post('/v1/jobs', chat(stack.receiver, 'a secret question'));
  await stack.tenant.post('/v1/jobs', image(stack.receiver));
  return stack;
};

test('when the board is asked for then only an admin key sees it, and it shows entries without what is in the jobs', async () => {
  const stack = await startedWithJobs();
  const nobody = await get(stack, '/admin/queues', {});
  expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^Basic /)]);
  expect((await get(stack, '/admin/queues', basic('wrong'))).status).toBe(401);
  expect((await get(stack, '/admin/queues', basic(stack.tenant.key))).status).toBe(403);
  expect((await stack.admin.send('GET', '/admin/queues')).status).toBe(200);

  const page = await get(stack, '/admin/queues');
  const html = await page.text();
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
  expect(html).not.toMatch(/(src|href)="https?:/);
  const assets = [...html.matchAll(/(?:src|href)="(static\/[^"]+)"/g)].map(([, path]) => path ?? '');
  expect(assets.length).toBeGreaterThan(2);
  for (const asset of assets) expect(`${asset} ${(await get(stack, `/admin/queues/${asset}`)).status}`).toBe(`${asset} 200`);
  expect((await get(stack, `/admin/queues/${assets[0]}`, {})).status).toBe(401);

  const queues = await (await get(stack, '/admin/queues/api/queues?activeQueue=call&status=prioritized')).text();
  expect(queues).toContain('"readOnlyMode":true');
  expect(queues).toContain('job_');
  expect(queues).not.toContain('a secret question');
});

test('when the board is asked to change something then it refuses, whatever it is', async () => {
  const stack = await startedWithJobs();
  const { key } = await stack.admin.post<{ key: string }>('/admin/v1/keys', {
    tenant: 'admin',
    name: 'r',
    scopes: ['admin:read'],
  });
  for (const client of [stack.admin, createClient(stack.url, key)])
    for (const [method, path] of [
      ['PUT', 'call/pause'],
      ['PUT', 'call/empty'],
      ['PUT', 'call/obliterate'],
      ['PUT', 'call/clean/wait'],
      ['POST', 'call/add'],
      ['PUT', 'pause'],
      ['PATCH', 'call/x/update-data'],
      ['DELETE', 'call/x'],
    ] as const)
      expect(`${method} ${path} ${(await client.send(method, `/admin/queues/api/queues/${path}`)).status}`).toBe(
        `${method} ${path} 405`,
      );
});

/** What a browser does with the page: what it asked for, what it complained of, and what is to be seen. */
async function look(stack: Stack) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ httpCredentials: { username: 'ann', password: stack.admin.key } });
  const asked: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(`${stack.url}/admin/queues/queue/call?status=prioritized`);
  await page
    .getByText(/job_[0-9A-Z]{26}/)
    .first()
    .waitFor();
  return { asked, complaints, text: (await page.textContent('body')) ?? '' };
}

test(
  existsSync(CHROMIUM)
    ? 'when a browser opens the board then the queues are there, and nothing is asked of a third party'
    : 'there is no Chromium here: only the page and its assets are fetched',
  async () => {
    const stack = await startedWithJobs();
    if (!existsSync(CHROMIUM)) {
      expect((await get(stack, '/admin/queues/queue/call')).status).toBe(200);
      return;
    }
    const { asked, complaints, text } = await look(stack);
    expect(asked.filter((url) => !url.startsWith(stack.url) && !url.startsWith('data:'))).toEqual([]);
    expect(complaints.filter((each) => !/401/.test(each))).toEqual([]);
    for (const name of ['call', 'submit', 'poll', 'store', 'deliver', 'maintain']) expect(text.toLowerCase()).toContain(name);
  },
);
