#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MUTATIONS } from './all.ts';
import { liveWith } from './live-with.ts';

const HELP = `pnpm mutations [--seconds S] [--only N,N …]

Proves that the simulation sees: breaks one promise after another by a small change of the product, made in the memory
of a process of its own, and lives with it until a life finds it. Files are never changed.

  --seconds S   how long each of them is looked for, in seconds of processor time (default 60)
  --only N,…    only these, by their numbers in the list
`;

const { values: o } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    only: { type: 'string' },
    // What the process of one mutation gets.
    lives: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const forMs = Number(o.seconds) * 1000;
if (o.help) console.log(HELP);
else if (!(forMs > 0)) {
  console.error(`--seconds takes a number above 0, not ${o.seconds}`);
  process.exitCode = 2;
} else if (o.lives !== undefined) {
  const mutation = MUTATIONS[Number(o.lives) - 1];
  if (mutation === undefined) throw new Error(`there is no mutation ${o.lives}`);
  console.log(await liveWith(mutation, forMs));
} else await all();

/** What its process said of a mutation in its last line, or how it ended; `null`: nothing was found. */
function foundBy(number: number): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const args = [fileURLToPath(import.meta.url), '--lives', String(number), '--seconds', String(o.seconds)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    let failed = '';
    child.stdout.on('data', (text) => {
      said += text;
    });
    child.stderr.on('data', (text) => {
      failed = (failed + text).slice(-4000);
    });
    // A life in which time no longer passes.
    const stuck = setTimeout(() => child.kill('SIGKILL'), 10 * forMs + 60_000);
    child.on('close', (code, signal) => {
      clearTimeout(stuck);
      if (failed.includes('INVALID:')) reject(new Error(`mutation ${number}: ${failed}`));
      else if (code === 0) resolve(said.trim() === 'nothing' ? null : said.trim());
      else if (signal !== null) resolve('a life never ends');
      else resolve(`crash: ${/^\w*Error.*$/m.exec(failed)?.[0] ?? failed.trim().split('\n').at(-1)}`);
    });
  });
}

async function all(): Promise<void> {
  const only = o.only?.split(',').map(Number) ?? MUTATIONS.map((_, i) => i + 1);
  let found = 0;
  let unexplained = 0;
  for (const number of only) {
    const mutation = MUTATIONS[number - 1];
    if (mutation === undefined) throw new Error(`there is no mutation ${number}`);
    const began = performance.now();
    const by = await foundBy(number);
    const afterS = ((performance.now() - began) / 1000).toFixed(1);
    if (by !== null) found += 1;
    else if (mutation.unseen === undefined) unexplained += 1;
    const what = by ?? (mutation.unseen === undefined ? 'NOT FOUND' : `not found: ${mutation.unseen}`);
    console.log(
      `${String(number).padStart(2)} ${afterS.padStart(5)} s  ${mutation.file}: ${mutation.breaks}\n            ${what.slice(0, 220)}`,
    );
  }
  console.log(`${found} of ${only.length} found, ${unexplained} neither found nor explained`);
  if (unexplained > 0) process.exitCode = 1;
}
