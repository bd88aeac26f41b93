import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { browserTest, openBrowser } from './browser.ts';
import { shareStack } from './stack.ts';

/** `/docs` as a person sees it. */

const anyStack = shareStack({ workers: 0 });

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  id: string;
  nodes: { html: string }[];
}

const WIDE = { viewport: { width: 1280, height: 900 } };
const NARROW = { viewport: { width: 390, height: 844 }, colorScheme: 'dark' } as const;

browserTest(
  'when the reference is opened then it shows the API, can be read by everybody, and asks nobody else',
  async () => {
    const stack = await anyStack();
    for (const options of [WIDE, NARROW]) {
      const { page, asked, complaints } = await openBrowser(options);
      page.setDefaultTimeout(60_000);
      await page.goto(`${stack.url}/docs`);
      await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor();
      if (options === WIDE) await page.getByRole('link', { name: 'Send a job' }).click();
      await page.getByRole('heading', { name: options === WIDE ? 'Send a job' : 'List jobs, the newest first' }).waitFor();
      await page.evaluate(axe);
      const { violations } = (await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")) as {
        violations: Violation[];
      };
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
      expect(asked.filter((url) => !url.startsWith(stack.url) && !url.startsWith('data:'))).toEqual([]);
      expect(complaints).toEqual([]);
      expect(await page.evaluate('document.cookie')).toBe('');
    }
  },
  async () => {
    const stack = await anyStack();
    const [, script] = /import .* from '([^']+)'/.exec(await (await fetch(`${stack.url}/docs/page.js`)).text()) ?? [];
    expect((await fetch(stack.url + script)).status).toBe(200);
  },
);

test('when the reference is built then the parts that its module asks for are served', async () => {
  const stack = await anyStack();
  const module = await (await fetch(`${stack.url}/docs/assets/standalone.esm.js`)).text();
  const parts = [...module.matchAll(/(?:from|import\(?)\s?[`"']\.\/(chunks\/[\w.-]+\.js)[`"']/g)].map(([, part]) => part);
  expect(parts.length).toBeGreaterThan(10);
  for (const part of new Set(parts))
    expect([part, (await fetch(`${stack.url}/docs/assets/${part}`)).status]).toEqual([part, 200]);
});
