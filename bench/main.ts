import { appendFileSync, existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CHECKED, check, keep, readBaseline } from './lib/check.ts';
import { describeCommit, describeMachine, describeService } from './lib/machine.ts';
import { describeProfiles } from './lib/profile.ts';
import { createProgress, minutes, secondsOf } from './lib/progress.ts';
import { type Result, report } from './lib/report.ts';
import type { Row } from './lib/row.ts';
import { smoke } from './lib/smoke.ts';
import { ROWS } from './rows/index.ts';

const HELP = `What the service costs, as ratios in one run against bare parts on the same machine.

  pnpm bench [row…]        (or: node bench/main.ts [row…]; without a name all rows)

Rows:
${ROWS.map((row) => `  ${row.name.padEnd(18)}${row.measures[0].what}`).join('\n')}

All of them take about ${minutes(ROWS.reduce((sum, row) => sum + secondsOf(row, undefined), 0))}. The rows \`peers-…\` set us beside the same job by other queues (bench/peers); graphile-worker is left out where no
PostgreSQL is installed (Debian: apt-get install postgresql). It is started by the row, in a temporary directory.

  --rounds N   times that each side is measured, in turn (each row has a default)
  --check      compare with the kept numbers of bench/baseline.json, and end with 1 when a row costs more CPU for one job, more memory or more
               log lines than it may; rates are printed only. Without a name: ${CHECKED.join(', ')}
  --keep       write what is measured into bench/baseline.json, for the rows that ran
  --smoke      whether we and the peers of the comparisons do a chat and an image job whole, and nothing else; half a minute
  --write      append the table to bench/RESULTS.md
  --profile    take CPU profiles of our own processes and print where their time goes; the rates then count less
  --help       this text

Needs a Redis server as the tests do (redis-server on the PATH). Nothing else should run on the machine.
`;

const RESULTS = new URL('./RESULTS.md', import.meta.url);
const TITLE = '# Results of `pnpm bench`\n\n`node bench/main.ts --help` says what is measured. Newest last.\n';

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      check: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const unknown = positionals.filter((name) => !ROWS.some((row) => row.name === name));
  if (unknown.length > 0)
    throw new Error(`There is no row ${unknown.join(', ')}; there are ${ROWS.map((row) => row.name).join(', ')}.`);
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
    throw new Error('--rounds must be a whole number from 1.');
  const byDefault = values.check || values.keep ? CHECKED : ROWS.map(({ name }) => name);
  const names = positionals.length === 0 ? byDefault : positionals;
  const rows = ROWS.filter(({ name }) => names.includes(name));
  return { ...values, rounds, rows };
}

function write(text: string): void {
  const title = existsSync(RESULTS) ? '' : TITLE;
  appendFileSync(RESULTS, `${title}\n${text}\n`);
}

/** Says how the rows stand beside the kept numbers; the process ends with 1 when one is worse. */
function tellCheck(results: readonly Result[]): void {
  const baseline = readBaseline();
  const { table, worse } = check(results, baseline);
  console.log(`\n${table}\n`);
  for (const { row } of results) {
    const kept = baseline[row.name];
    if (kept !== undefined) console.log(`${row.name} was kept at commit ${kept.commit} on ${kept.machine}`);
  }
  const verdict = worse.length === 0 ? 'No row is worse than it may be.' : 'Worse than they may be:';
  console.log(['', verdict, ...worse.map((each) => `  ${each}`)].join('\n'));
  if (worse.length > 0) process.exitCode = 1;
}

/** One row that cannot be measured takes none of the others with it; the process then ends with 1. */
function failed(row: Row, error: unknown): Result {
  console.error(error);
  process.exitCode = 1;
  const why = `failed: ${error instanceof Error ? error.message : String(error)}`;
  return { row, measured: row.measures.map(() => ({ figures: [], skipped: why })) };
}

async function main(): Promise<void> {
  const { rows, rounds, help, profile, ...wanted } = readArguments();
  if (help) {
    process.stdout.write(HELP);
    return;
  }
  if (wanted.smoke) return await smoke((line) => console.log(line));
  const [commit, machine] = [describeCommit(), await describeMachine()];
  const heading = `## ${new Date().toISOString().slice(0, 10)}, commit ${commit}\n\n${machine}\n`;
  console.error(heading);
  const results: Result[] = [];
  const progress = createProgress(rows, rounds);
  for (const row of rows) {
    console.error(progress.begin(row));
    const profileDir = profile ? mkdtempSync(join(tmpdir(), `bench-${row.name}-`)) : undefined;
    const say = (line: string) => console.error(`  ${line}`);
    const run = row.run({ rounds: rounds ?? row.rounds, profileDir, say });
    results.push(
      await run.then(
        (measured) => ({ row, measured }),
        (error: unknown) => failed(row, error),
      ),
    );
    progress.end(row);
    if (profileDir !== undefined) console.error(`\n${describeProfiles(profileDir)}\n\nprofiles are in ${profileDir}\n`);
  }
  const text = `${heading}\n${report(results)}\n\n${progress.summary()}`;
  console.log(text);
  if (wanted.write) write(text);
  if (wanted.check) tellCheck(results);
  if (wanted.keep) keep(results, { commit: describeService(), machine });
}

// Each child is ended when this process ends, by a listener of its own.
process.setMaxListeners(100);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
