// `pnpm release:check`: packs every public package, checks its manifest, exports and types, installs it into an empty folder, and runs
// its README there against the whole service. `--only client` checks one of them, `--keep <folder>` keeps the packed files.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { startEmulator } from '@grsai-jobs/grsai-emulator';
import { PUBLIC, type Public } from './release/packages.ts';
import { problemsOf } from './release/problems.ts';
import { type Block, blocksOf, serves } from './release/readme.ts';
import { run, starts } from './release/run.ts';
import { claimDirectory } from './stack/claim.ts';
import { root } from './stack/root.ts';
import { startStack } from './stack/stack.ts';
import { stopRequest } from './stack/stop-request.ts';
import { makeTenantKey } from './stack/tenant-key.ts';

const { values } = parseArgs({ options: { only: { type: 'string' }, keep: { type: 'string' } } });
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { packageManager: string };
const chosen = PUBLIC.filter(({ name }) => values.only === undefined || name === values.only);
if (chosen.length === 0) throw new Error(`--only takes ${PUBLIC.map(({ name }) => name).join(', ')}`);

/** In the form of a real one; the stand-in takes any such key. */
const UPSTREAM_KEY = `sk-${'0123456789abcdef'.repeat(2)}`;
/** What the programs of READMEs are told by their environment. */
const VARIABLES = { COUNT: '4', POLL_MS: '100', PORT: '0', WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 1).toString('base64')}` };
const PROMPTS = '{"custom_id":"c1","type":"image","input":{"model":"nano-banana-2","prompt":"a paper boat"}}\n';

const temporary = mkdtempSync(join(tmpdir(), 'release-check-'));
const tarballs = join(temporary, 'tarballs');
const claim = claimDirectory(join(root, '.data', 'release'));
const wrong: string[] = [];
try {
  await check();
} finally {
  claim.release();
  rmSync(temporary, { recursive: true, force: true });
}
for (const line of wrong) console.log(`✗ ${line}`);
console.log(wrong.length === 0 ? `\n${chosen.length} of ${chosen.length} can be released` : `\n${wrong.length} not right`);
process.exit(wrong.length === 0 ? 0 : 1);

async function check(): Promise<void> {
  const names = new Set(chosen.flatMap(({ name, needs }) => [name, ...needs]));
  for (const name of names) await pack(name);
  if (values.keep !== undefined) cpSync(tarballs, values.keep, { recursive: true });
  for (const each of chosen)
    await step(`${each.name}: manifest, exports, types`, async () => {
      const problems = await problemsOf(tarballOf(each.name), each);
      if (problems.length > 0) throw new Error(problems.join('\n'));
    });
  const stack = await startStack({
    dir: claim.dir,
    env: process.env,
    pace: { imageMs: '100-300', chatMs: '50-100' },
    prefix: 'gj-release',
    appOutput: (app) => ({ file: join(claim.dir, `${app}.log`) }),
    standInOutput: { file: join(claim.dir, 'stand-ins.log') },
    print: console.log,
    stop: stopRequest(),
  });
  const emulator = await startEmulator({ taskMs: 20, chatMs: 5, imageEdge: 16 });
  try {
    const key = await makeTenantKey(stack.api, stack.adminKey, 'release');
    const service = { GRSAI_JOBS_API: stack.api, GRSAI_JOBS_KEY: key };
    const upstream = { GRSAI_API_KEY: UPSTREAM_KEY, GRSAI_BASE_URLS: emulator.url };
    for (const each of chosen) await tryIt(each, { ...service, ...upstream });
  } finally {
    await emulator.close();
    await stack.stop();
  }
}

/** Says how it went; what was wrong stands at the end too. */
async function step(name: string, work: () => Promise<unknown>): Promise<void> {
  const started = performance.now();
  try {
    await work();
    console.log(`✓ ${name}  ${((performance.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    wrong.push(`${name}: ${error instanceof Error ? error.message : error}`);
    console.log(`✗ ${name}`);
  }
}

/** pnpm puts versions where the workspace has names, and `publishConfig` over the rest of the manifest. */
async function pack(name: string): Promise<void> {
  mkdirSync(tarballs, { recursive: true });
  const args = ['--filter', `@grsai-jobs/${name}`, 'pack', '--pack-destination', tarballs];
  await run('npx', ['-y', packageManager, ...args], { cwd: root, env: process.env });
}

function tarballOf(name: string): string {
  const file = readdirSync(tarballs).find((each) => new RegExp(`^grsai-jobs-${name}-\\d`).test(each));
  if (file === undefined) throw new Error(`${name} was not packed`);
  return join(tarballs, file);
}

async function tryIt({ name, dir, needs }: Public, service: NodeJS.ProcessEnv): Promise<void> {
  const cwd = join(temporary, name);
  const env = { ...process.env, ...service, ...VARIABLES, TARBALLS: tarballs };
  await step(`${name}: installed into an empty folder`, async () => {
    mkdirSync(cwd);
    writeFileSync(join(cwd, 'package.json'), '{ "type": "module" }\n');
    const args = ['install', '--no-audit', '--no-fund', ...[name, ...needs].map(tarballOf)];
    await run('npm', args, { cwd, env });
    writeFileSync(join(cwd, 'prompts.ndjson.gz'), gzipSync(PROMPTS));
  });
  const blocks = blocksOf(readFileSync(join(root, dir, 'README.md'), 'utf8'));
  for (const [at, block] of blocks.entries()) {
    if (forLater(block)) continue;
    await step(`${name}: README, ${block.language} ${at + 1} of ${blocks.length}`, async () => {
      const file = join(cwd, `readme-${at + 1}.${block.language}`);
      writeFileSync(file, block.code);
      if (block.language === 'sh') await run('sh', ['-eu', file], { cwd, env });
      else if (!serves(block)) await run(process.execPath, [file], { cwd, env });
      else if (block.code.includes('.listen(')) await starts(process.execPath, [file], { cwd, env });
      else await run(process.execPath, ['--eval', `await import(${JSON.stringify(file)})`, '--input-type=module'], { cwd, env });
    });
  }
}

/** It packs and installs, which has been done, or has a key that the reader has to put in. */
function forLater({ code }: Block): boolean {
  return /^(?:pnpm|npm install) /m.test(code) || code.includes('gj_…');
}
