// `npm run demo`: the main job of the service once through, with stand-ins for what is not configured.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createClient } from './demo/client.ts';
import { galleryPage } from './demo/gallery.ts';
import { createProgress } from './demo/progress.ts';
import { type Receiver, startReceiver } from './demo/receiver.ts';
import { isRight, runJobs } from './demo/run.ts';
import { summary } from './demo/summary.ts';
import { demoJobs } from './demo/work.ts';
import { claimDirectory } from './stack/claim.ts';
import { root } from './stack/root.ts';
import { type Stack, startStack } from './stack/stack.ts';
import { stopRequest } from './stack/stop-request.ts';
import { makeTenantKey } from './stack/tenant-key.ts';

const PACE = { imageMs: '3000-9000', chatMs: '500-4000' };
const LIMIT_MS = { emulator: 2 * 60_000, real: 20 * 60_000 };

const { values } = parseArgs({ options: { jobs: { type: 'string', default: '12' } } });
const count = Number(values.jobs);
if (!Number.isInteger(count) || count < 1 || count > 500) {
  console.error('--jobs takes a number from 1 to 500');
  process.exit(2);
}

const startedAt = new Date();
const stop = stopRequest();
const claim = claimDirectory(join(root, '.data', 'demo'));
const { dir } = claim;
const logs = join(dir, 'logs');
const images = join(dir, 'images');
try {
  process.exitCode = (await demo()) ? 0 : 1;
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}\nThe logs are in ${relative(root, logs)}.`);
  process.exitCode = 1;
} finally {
  claim.release();
}
process.exit();

async function demo(): Promise<boolean> {
  for (const old of ['redis', 's3', 'logs', 'images', 'gallery.html']) rmSync(join(dir, old), { recursive: true, force: true });
  for (const made of [logs, images]) mkdirSync(made, { recursive: true });
  console.log('Starting the service …');
  const stack = await startStack({
    dir,
    env: process.env,
    pace: PACE,
    prefix: 'gj-demo',
    receiverHere: true,
    appOutput: (app) => ({ file: join(logs, `${app}.log`) }),
    standInOutput: { file: join(logs, 'stand-ins.log') },
    print: console.log,
    stop,
  });
  try {
    console.log(`${introduction(stack)}\n`);
    const key = await makeTenantKey(stack.api, stack.adminKey, 'demo');
    const client = createClient(stack.api, key);
    const receiver = await startReceiver(await client.webhookSecret());
    try {
      return await sendJobs(stack, client, receiver);
    } finally {
      await receiver.stop();
    }
  } finally {
    await stack.stop();
  }
}

async function sendJobs(stack: Stack, client: ReturnType<typeof createClient>, receiver: Receiver): Promise<boolean> {
  const progress = createProgress(process.stdout);
  const entries = await runJobs(demoJobs(count), {
    client,
    receiver,
    imagesDir: images,
    limitMs: stack.realUpstream ? LIMIT_MS.real : LIMIT_MS.emulator,
    stop: AbortSignal.any([stop, brokenSignal(stack)]),
    onLook: progress.show,
  });
  progress.end();
  const page = join(dir, 'gallery.html');
  const facts = {
    entries,
    deliveries: receiver.deliveries,
    upstream: upstream(stack),
    startedAt,
    seconds: (Date.now() - startedAt.getTime()) / 1000,
  };
  writeFileSync(page, galleryPage(facts));
  console.log(`${summary(entries)}\n\nGallery: ${pathToFileURL(page)}`);
  const right = entries.every(isRight);
  console.log(right ? 'Next:    npm start, which runs it until Ctrl-C' : `Logs:    ${relative(root, logs)}`);
  return right;
}

function upstream(stack: Stack): string {
  return stack.realUpstream ? 'the real Grsai API' : 'the emulator: its pictures are patterns, its chats an echo';
}

function introduction(stack: Stack): string {
  const rows = stack.standIns.map(({ what, about }) => `  ${what}: ${about}`);
  const paid = `GRSAI_API_KEY is set: ${count} image tasks and ${count} chats at the real Grsai API will be paid for.`;
  return [
    `The API is at ${stack.api}. Stand-ins for what is not configured:`,
    ...rows,
    ...(stack.realUpstream ? [paid] : []),
  ].join('\n');
}

function brokenSignal(stack: Stack): AbortSignal {
  const broken = new AbortController();
  void stack.broken.then((what) => {
    console.error(`\n${what}`);
    broken.abort();
  });
  return broken.signal;
}
