import { existsSync } from 'node:fs';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { onTestFinished, test } from 'vitest';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

const hasChromium = existsSync(CHROMIUM);

/** A test in a browser. Where there is none its name says so, and `without` is tested instead. */
export const browserTest = (name: string, body: () => Promise<void>, without: () => Promise<void>): void => {
  if (hasChromium) test(name, body);
  else test(`there is no Chromium here, the page is only fetched: ${name}`, without);
};

export interface Seen {
  page: Page;
  /** Every address that was asked for. */
  asked: string[];
  /** Errors of scripts, of the console, and what the content security policy stopped. */
  complaints: string[];
}

/** An empty page in a browser of its own, which is closed when the test ends. */
export async function openBrowser(options: BrowserContextOptions = {}): Promise<Seen> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  onTestFinished(() => browser.close());
  const page = await browser.newPage(options);
  page.setDefaultTimeout(15_000);
  const asked: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  return { page, asked, complaints };
}
