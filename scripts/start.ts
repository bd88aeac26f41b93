// `npm start`: the whole service on this machine, with stand-ins for what is not configured.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { claimDirectory } from './stack/claim.ts';
import { given, root, short } from './stack/root.ts';
import { type Stack, startStack } from './stack/stack.ts';
import { fired, stopRequest } from './stack/stop-request.ts';
import { keptTenantKey } from './stack/tenant-key.ts';
import { tryLines } from './stack/try-lines.ts';

const PACE = { imageMs: '6000-12000', chatMs: '500-2000' };

const started = performance.now();
const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
const env = { ...process.env, LOG_PRETTY: given(process.env, 'LOG_PRETTY') ?? String(process.stdout.isTTY === true) };
const stop = stopRequest();

mkdirSync(join(root, '.data'), { recursive: true });
const claim = claimDirectory(join(root, '.data'));
try {
  const stack = await startStack({
    dir: claim.dir,
    env,
    pace: PACE,
    // A worker that talks to the emulator must never take the jobs of a Redis that others use.
    prefix: given(env, 'REDIS_URL') && !given(env, 'GRSAI_API_KEY') ? 'gj-local' : 'gj',
    appOutput: () => 'inherit',
    standInOutput: 'inherit',
    print: console.log,
    stop,
  });
  try {
    console.log(await welcome(stack));
    const broken = await Promise.race([fired(stop), stack.broken]);
    console.log(`\nStopping: ${broken ?? stop.reason}`);
    if (broken) process.exitCode = 1;
  } finally {
    await stack.stop();
  }
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
} finally {
  claim.release();
}
process.exit();

async function welcome(stack: Stack): Promise<string> {
  const apps: string[][] = [
    ['API', stack.api],
    ['docs', `${stack.api}/docs`],
    ['operators', `${stack.api}/admin, sign in with ${whereAdminKey()}`],
    ['worker', stack.worker ? `${stack.worker}/readyz` : 'runs without a health server'],
  ];
  const standIns = stack.standIns.map(({ what, about }) => [what, about]);
  const width = Math.max(...[...apps, ...standIns].map(([name]) => name?.length ?? 0)) + 2;
  const table = (rows: string[][]) => rows.map(([name, about]) => `  ${name?.padEnd(width)}${about}`).join('\n');
  return [
    `\ngrsai-jobs is ready (${seconds()} s)\n`,
    table(apps),
    ...(standIns.length > 0 ? ['\nStand-ins for what is not configured:\n', table(standIns)] : []),
    `\nTry it:\n\n  ${(await tryIt(stack)).join('\n\n  ')}\n\nCtrl-C stops everything.\n`,
  ].join('\n');
}

function whereAdminKey(): string {
  return given(env, 'ADMIN_API_KEY') ? 'your ADMIN_API_KEY' : `the key in ${short(join(root, '.data', 'keys', 'admin-api-key'))}`;
}

/** Lines that work as printed. Where nothing is a stand-in, no key is made in somebody's real installation. */
async function tryIt(stack: Stack): Promise<string[]> {
  const ownKeys = given(env, 'ADMIN_API_KEY') !== undefined;
  return tryLines({
    api: stack.api,
    key:
      stack.standIns.length > 0
        ? await keptTenantKey(join(claim.dir, 'tenant-key'), stack.api, stack.adminKey, 'local')
        : '$ADMIN_API_KEY',
    adminKey: ownKeys ? '$ADMIN_API_KEY' : `$(cat '${join(root, '.data', 'keys', 'admin-api-key')}')`,
  });
}
