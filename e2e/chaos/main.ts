import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { optionsOrEnd } from '@grsai-jobs/testkit';
import { runFailovers } from './failovers.ts';
import { HELP, parseOptions, repeatLine } from './options.ts';
import { runChaos } from './run.ts';

const options = optionsOrEnd(parseOptions, HELP);
if (options.failovers > 0) {
  const { failovers: times, seed, durability, kills } = options;
  console.log(`pnpm chaos --failovers ${times} --durability ${durability}${kills ? ' --kills' : ''} --seed ${seed}`);
  const result = await runFailovers({ seed, planned: times, unplanned: times, durability, kills, perSecond: 10 });
  const { logs, ...told } = result;
  console.log(JSON.stringify(told, null, 2));
  const { lost, paidTwice, untold, unfinished } = result;
  // What was not confirmed may be lost.
  const broken = [...paidTwice, ...untold, ...(durability === 'replica' ? [...lost, ...unfinished] : [])];
  if (broken.length > 0 || unfinished.length > 0) {
    const folder = await mkdtemp(join(tmpdir(), 'failovers-'));
    for (const [name, lines] of Object.entries(logs)) await writeFile(join(folder, `${name}.ndjson`), lines.join('\n'));
    console.log(`what the processes have said: ${folder}`);
  }
  process.exit(broken.length === 0 ? 0 : 1);
}
console.log(repeatLine(options));
try {
  const result = await runChaos(options);
  console.log(result.report);
  process.exit(result.findings.length === 0 ? 0 : 1);
} catch (error) {
  console.error(`seed ${options.seed}: the run itself broke, nothing was checked:`, error);
  process.exit(3);
}
