import { waitFor } from '@grsai-jobs/testkit';
import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { browserTest, openBrowser, type Seen } from './browser.ts';
import { chat, createClient, image, type Job, type Stack, startStack } from './stack.ts';

const WIDE = { viewport: { width: 1280, height: 860 } };
const NARROW = { viewport: { width: 390, height: 844 }, colorScheme: 'dark', reducedMotion: 'reduce' } as const;

/** What would run if any of it were taken as markup. */
const HOSTILE = '</p><img src="/x" onerror="window.hacked=1"><script>window.hacked=2</script>"\'><svg/onload=window.hacked=3>';

const get = async (stack: Stack, path: string) => await fetch(stack.url + path);

/** The page without a browser: each file that it names is there, as what it is, under the policy. */
async function fetchAll(stack: Stack): Promise<void> {
  const html = await (await get(stack, '/admin')).text();
  const named = [...html.matchAll(/(?:src|href)="(\/admin\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '');
  const seen = new Set(named);
  for (const path of seen) {
    const answer = await get(stack, path);
    const text = await answer.text();
    expect(`${path} ${answer.status}`).toBe(`${path} 200`);
    const type = { js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' }[path.split('.').at(-1) ?? ''];
    expect(answer.headers.get('content-type')).toContain(type);
    if (path.endsWith('.js'))
      for (const [, name] of text.matchAll(/from '\.\/([a-z-]+\.js)'/g)) seen.add(`/admin/assets/${name}`);
  }
  expect(seen.size).toBeGreaterThan(10);
}

const onlyFetched = async () => await fetchAll(await startStack({ workers: 0 }));

test('when the page is fetched then all of it is there under a strict policy, and nothing beside it', async () => {
  const stack = await startStack({ workers: 0 });
  await fetchAll(stack);
  const { headers } = await get(stack, '/admin');
  const policy = (headers.get('content-security-policy') ?? '').split('; ');
  expect(policy).toEqual(
    expect.arrayContaining([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      `img-src 'self' ${new URL(stack.s3.endpoint).origin}`,
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
    ]),
  );
  expect(policy.join(' ')).not.toMatch(/unsafe|\*/);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  const html = await (await get(stack, '/admin')).text();
  expect(html).not.toMatch(/<script(?![^>]*src=)|<style|\son[a-z]+=|style=|https?:/);
  for (const path of [
    '/admin/assets/tsconfig.json',
    '/admin/assets/..%2Fauth.ts',
    '/admin/assets/answers.d.ts',
    '/admin/assets/',
  ])
    expect(`${path} ${(await get(stack, path)).status}`).toBe(`${path} 404`);
});

async function signIn(stack: Stack, page: Page, hash = ''): Promise<void> {
  await page.goto(`${stack.url}/admin${hash}`);
  await page.getByLabel('Admin key').fill(stack.admin.key);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation').waitFor();
}

/** Nothing that a test does is a reason for the browser to complain, or to ask anybody but us and the object store. */
function expectQuiet(stack: Stack, { asked, complaints }: Seen): void {
  const ours = [stack.url, new URL(stack.s3.endpoint).origin, 'blob:'];
  expect(asked.filter((url) => !ours.some((each) => url.startsWith(each)))).toEqual([]);
  expect(complaints).toEqual([]);
}

const widthOver = async (page: Page): Promise<number> =>
  await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

/** Texts of cells that reach into the next one. */
const CELLS_OVERFULL = `[...document.querySelectorAll('td, th')]
  .filter((each) => each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0)
  .map((each) => each.textContent).join()`;

const row = (page: Page, name: string): Locator =>
  page.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });

/** An image that ends with its call: nothing is polled. */
const synchronous = (stack: Stack, prompt: string, more: object) =>
  image(stack.receiver, prompt, { via: 'generations', ...more });

const post = async (stack: Stack, body: object) => (await stack.tenant.post<Job>('/v1/jobs', body)).id;

browserTest(
  'when an operator signs in then the overview shows how it goes, says when it does not know, and queues are paused from the keyboard',
  async () => {
    const stack = await startStack();
    await stack.tenant.finished(await post(stack, chat(stack.receiver)));
    const seen = await openBrowser(WIDE);
    const { page } = seen;
    await page.goto(`${stack.url}/admin`);
    expect(await page.getByRole('navigation').isVisible()).toBe(false);
    await page.getByLabel('Admin key').fill('not-the-key');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This API key is not known or was revoked.').waitFor();
    expect(await page.evaluate('sessionStorage.length + localStorage.length')).toBe(0);
    seen.complaints.splice(0); // the browser tells the 401
    await signIn(stack, page);

    await page.getByText('Workers alive').waitFor();
    expect(await page.getByRole('listitem').filter({ hasText: 'Workers alive' }).textContent()).toContain('1');
    expect(await row(page, '5 minutes').textContent()).toMatch(/0\.2/);
    expect(await page.evaluate('Object.keys(localStorage).length + document.cookie.length')).toBe(0);

    await page.getByRole('button', { name: 'Pause call' }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('Enter');
    await page.getByLabel('Reason').fill('the account moves');
    await page.keyboard.press('Enter');
    await row(page, 'call').getByText('paused').waitFor();
    await page.getByText('ADMIN_API_KEY: the account moves').waitFor();

    const waits = await post(stack, chat(stack.receiver, 'a secret question'));
    await page.getByRole('link', { name: 'call', exact: true }).click();
    await row(page, `${waits}.1`).getByText('step 1').waitFor();
    expect(await row(page, `${waits}.1`).getByRole('link').textContent()).toBe(waits);
    expect(await page.textContent('body')).not.toContain('a secret question');
    await page.getByLabel('State').selectOption('delayed');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByText('No entry of this queue is delayed.').waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();

    await page.getByRole('button', { name: 'Concurrency of submit' }).click();
    await page.getByLabel('Entries at once in each worker process').fill('3');
    await page.getByLabel('Reason').fill('gently');
    await page.getByRole('button', { name: 'Change' }).click();
    await row(page, 'submit').getByText('3 each').waitFor();
    await page.getByRole('button', { name: 'Resume call' }).click();
    await page.getByLabel('Reason').fill('it has moved');
    await page.keyboard.press('Enter');
    await row(page, 'call').getByText('open').waitFor();

    await page.getByRole('button', { name: 'Pause store' }).click();
    await page.getByRole('dialog').getByText('two hours after').waitFor();
    await page.keyboard.press('Escape');

    await page.getByRole('link', { name: 'Audit' }).click();
    await page.getByText('it has moved').waitFor();
    expect(await page.getByText('key_admin').count()).toBeGreaterThan(2);
    expect(await page.getByRole('row').count()).toBeGreaterThan(4);
    expectQuiet(stack, seen);

    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByText('Workers alive').waitFor();
    await stack.api.stop();
    await page.getByText(/^Stale, of /).waitFor();
    const why = page.getByText(/^The API does not answer\. What is shown is of \d/);
    await why.waitFor();
    expect(await page.locator('main .notice').count()).toBe(1);
    await stack.startApi();
    await page.getByText(/^Live /).waitFor();
    await why.waitFor({ state: 'detached' });
    await page.route('**/admin/v1/queues', (route) => route.fulfill({ status: 403, json: { detail: 'No more.' } }));
    await page.getByText(/^No more\. What is shown is of \d/).waitFor();
    await page.getByText(/^Stale, of /).waitFor();
    await page.unroute('**/admin/v1/queues');
    await page.getByText(/^Live /).waitFor();
    seen.complaints.splice(0); // the browser tells the 403

    await page.route('**/admin/v1/failures*', (route) => route.fulfill({ contentType: 'application/json', body: '{"data":[' }));
    await page.getByRole('link', { name: 'Failures' }).click();
    await page.getByText('The answer of the API broke off.').waitFor();
    await page.unroute('**/admin/v1/failures*');
    await page.getByText('0 failed jobs').waitFor();

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Admin key').waitFor();
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
    await page.goBack();
    expect(await page.getByLabel('Admin key').isVisible()).toBe(true);
  },
  onlyFetched,
);

browserTest(
  'when a job has hostile words in prompt, metadata and errors then its page shows them as words, with attempts, webhooks and images',
  async () => {
    const stack = await startStack({ emulator: { taskMs: 300 } });
    stack.receiver.respond({ status: 500, body: HOSTILE }, 200);
    const good = await post(
      stack,
      synchronous(stack, `${HOSTILE} [[fault=F18:as=500]]${' long'.repeat(5000)}`, { metadata: { '<b>order</b>': HOSTILE } }),
    );
    const bad = await post(stack, synchronous(stack, `two [[outcome=failed]][[error=${HOSTILE}]]`, { max_attempts: 1 }));
    expect(await stack.tenant.finished(good)).toMatchObject({ status: 'succeeded' });
    await stack.tenant.finished(bad);
    await stack.receiver.waitFor(2);
    const longName = { tenant: 'ops', name: 'n'.repeat(100), scopes: ['admin:write'] };
    const { key } = await stack.admin.post<{ key: string }>('/admin/v1/keys', longName);
    await createClient(stack.url, key).send('PATCH', '/admin/v1/queues/call', { concurrency: 9, reason: HOSTILE });
    for (const width of [WIDE, NARROW]) {
      const seen = await openBrowser(width);
      const { page } = seen;
      await signIn(stack, page, `#/jobs/${good}`);
      await page.getByRole('heading', { name: good }).waitFor();
      const timeline = page.getByRole('region', { name: 'Timeline' });
      expect(await timeline.getByText(/^Store \d/).count()).toBe(2);
      await timeline.getByText('Run 1 ended').waitFor();
      await timeline.getByText(/^Webhook attempt 1/).waitFor();
      expect(await page.locator('.prompt').textContent()).toContain(HOSTILE);
      expect((await page.locator('.prompt').boundingBox())?.height).toBeLessThan(400);
      expect(await page.getByRole('definition').allTextContents()).toContain(HOSTILE);
      const picture = page.getByRole('img', { name: 'Image 1 of the result' });
      await picture.scrollIntoViewIfNeeded();
      await waitFor(async () => (await picture.evaluate((each) => 'naturalWidth' in each && each.naturalWidth)) === 256, {
        what: 'the thumbnail',
      });

      await page.goto(`${stack.url}/admin#/jobs`);
      await page.getByLabel('Job id').fill(bad);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: bad }).waitFor();
      await page.getByText('upstream_failed').first().waitFor();
      expect(await page.locator('.notice').textContent()).toContain('window.hacked');
      await page.getByText('All that the API says').click();
      expect(await page.locator('pre.raw').textContent()).toContain(`"id": "${bad}"`);

      for (const view of ['failures', 'jobs', 'audit', 'keys', 'overview', 'queues/deliver?state=delayed']) {
        await page.goto(`${stack.url}/admin#/${view}`);
        await page.locator('main:not([aria-busy])').waitFor();
        expect(`${view} ${await widthOver(page)}`).toBe(`${view} 0`);
        expect(`${view} ${await page.evaluate(CELLS_OVERFULL)}`).toBe(`${view} `);
      }
      await page.goto(`${stack.url}/admin#/failures`);
      await page
        .getByRole('button', { name: /^Requeue/ })
        .first()
        .waitFor();
      expect(await page.locator('.message').first().textContent()).toContain('window.hacked');
      expect(await page.evaluate('window.hacked')).toBeUndefined();
      expectQuiet(stack, seen);
    }
  },
  onlyFetched,
);

const refused = (stack: Stack, n: number) =>
  synchronous(stack, `order ${n} [[fault=F20:as=refused,times=1]]`, { max_attempts: 1 });

browserTest(
  'when a group of failures is requeued then a dry run says before what it would do, and its progress is shown, aborted, resumed and done',
  async () => {
    const stack = await startStack();
    const ids = [];
    for (let n = 0; n < 4; n += 1) ids.push(await post(stack, refused(stack, n)));
    const unknown = await post(stack, image(stack.receiver, 'lost [[fault=F6]]'));
    for (const id of [...ids, unknown]) await stack.tenant.finished(id);
    const seen = await openBrowser(NARROW);
    const { page } = seen;
    await signIn(stack, page, '#/failures');
    await page.getByText('5 failed jobs in 2 groups').waitFor();
    const dialog = page.getByRole('dialog');
    const confirm = dialog.getByRole('button', { name: /^Requeue/ });
    const ask = async (code: string) => {
      await page.goto(`${stack.url}/admin#/failures`);
      await page.getByRole('button', { name: new RegExp(`^Requeue .* with ${code}`) }).click();
      await dialog.getByText('Dry run: nothing was changed').waitFor();
    };
    const begin = async (rate: string) => {
      await dialog.getByLabel('Jobs per minute').fill(rate);
      await dialog.getByLabel('Reason').fill('upstream is well');
      await page.keyboard.press('Enter');
      await page.getByRole('progressbar').waitFor();
    };
    const state = (word: string) => page.getByText(word, { exact: true });
    const turn = async (name: 'Abort' | 'Resume') => {
      await page.getByRole('button', { name: `${name}…` }).click();
      await dialog.getByLabel('Reason').fill('a test');
      await dialog.getByRole('button', { name, exact: true }).click();
    };

    await ask('submit_unknown');
    expect(await dialog.getByRole('definition').allTextContents()).toEqual(['1']);
    expect(await dialog.textContent()).toContain('Left out');
    expect([await confirm.textContent(), await confirm.isDisabled()]).toEqual(['Requeue', true]);
    await dialog.getByLabel('Also jobs whose paid call has an unknown outcome').check();
    await dialog.getByText('Resubmit', { exact: false }).waitFor();
    await dialog.getByRole('button', { name: 'Requeue 1 job' }).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });

    await ask('upstream_failed');
    expect(await confirm.textContent()).toBe('Requeue 4 jobs');
    expect((await stack.admin.get<{ data: unknown[] }>('/admin/v1/bulk-actions')).data).toEqual([]);
    await begin('1');
    await page.getByText('1 of 4 jobs').waitFor();
    await turn('Abort');
    await state('aborted').waitFor();
    await turn('Resume');
    await state('running').waitFor();
    await turn('Abort');
    await state('aborted').waitFor();

    await ask('upstream_failed');
    expect(await confirm.textContent()).toBe('Requeue 3 jobs');
    await begin('6000');
    await state('completed').waitFor();
    await page.getByText('3 of 3 jobs').waitFor();
    expect(await widthOver(page)).toBe(0);
    for (const id of ids) expect(await stack.tenant.finished(id)).toMatchObject({ status: 'succeeded', run: 2 });
    expect((await stack.tenant.job(unknown)).run).toBe(1);
    await page.getByRole('link', { name: 'Bulk' }).click();
    await page.getByText('Bulk actions of the last 30 days').waitFor();
    expect(await page.getByRole('link', { name: /^bulk_/ }).count()).toBe(2);

    await page.goto(`${stack.url}/admin#/jobs/${unknown}`);
    await page.getByRole('button', { name: 'Requeue…' }).click();
    await dialog.getByLabel('Reason').fill('it is worth it');
    await page.keyboard.press('Enter');
    await dialog.getByRole('alert').filter({ hasText: '"mode": "resubmit"' }).waitFor();
    await dialog.getByLabel('How').selectOption('resubmit');
    seen.complaints.splice(0); // the browser tells the 409
    await dialog.getByRole('button', { name: 'Requeue' }).click();
    await dialog.waitFor({ state: 'detached' });
    await waitFor(async () => (await stack.tenant.job(unknown)).run === 2, { what: 'the second run' });
    expectQuiet(stack, seen);
  },
  onlyFetched,
);
