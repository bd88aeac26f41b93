import { appendFile, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { optionsOrEnd } from '@grsai-jobs/testkit';
import { describeCommit, describeMachine } from '../lib/machine.ts';
import { Books } from './books.ts';
import { type Caused, causeFaults } from './faults.ts';
import { changeLimits } from './limits.ts';
import { createLoad, type Load } from './load.ts';
import { HELP, parseOptions, type SoakOptions } from './options.ts';
import { describe } from './report.ts';
import { createSampler, keysByKind, LONG_LIVED, type Sample } from './samples.ts';
import { startWorld, USUAL_MIX, type World } from './world.ts';

const DATA = fileURLToPath(new URL('../../.data/soak/', import.meta.url));
const SAMPLE_MS = 10_000;
const TELL_MS = 30_000;
const KEYS_MS = 5 * 60_000;
const ASK_MS = 15_000;
const MEASURE_S = 30;
/** From one fault to the next; what was refused or killed has time to come back. */
const FAULT_EVERY_MS = 20_000;
/** A webhook that failed is tried again after minutes, and what waits for a call may wait for a killed one. */
const DRAIN_MS = 10 * 60_000;
/** What the measured load has left ends meanwhile, but for webhooks that wait for their third attempt. */
const SETTLE_MS = 20_000;

/** So many attempts of a webhook may fail: the one after the third is made half an hour later, when the soak may be over. */
const FAILING_TRIES = 2;

interface Receivers {
  /** While it is on, everything fails. */
  down: boolean;
}

/** Receivers of all tenants; those of the last one fail more often. Each event counts once. */
function receive(world: World, books: Books): Receivers {
  const taken = new Set<string>();
  const failed = new Map<string, number>();
  const state = { down: false };
  world.receiver.respond(({ path, headers, json }) => {
    // They are not looked at again.
    world.receiver.clear();
    const event = String(headers['webhook-id']);
    const tries = failed.get(event) ?? 0;
    if (tries < FAILING_TRIES && (state.down || Math.random() < (path.endsWith('soak-5') ? 0.05 : 0.005))) {
      failed.set(event, tries + 1);
      return 503;
    }
    failed.delete(event);
    const { id } = (json as { data?: { id?: string } } | undefined)?.data ?? {};
    if (id !== undefined && !taken.has(event)) books.hook(id);
    taken.add(event);
    return 200;
  });
  return state;
}

/** Runs `step` every so often until the signal, and once more then. What it throws is told: Redis and the API may be away. */
async function repeat(everyMs: number, signal: AbortSignal, step: () => Promise<unknown>): Promise<void> {
  for (let next = Date.now() + everyMs; ; next += everyMs) {
    await sleep(Math.max(0, next - Date.now()), undefined, { signal }).catch(() => undefined);
    await step().catch((error: unknown) => console.error(`  ${error instanceof Error ? error.message : error}`));
    if (signal.aborted) return;
  }
}

/** Waits until all that was accepted has ended and its end was told. */
async function drain(books: Books, load: Load, limitMs: number, say: (line: string) => void): Promise<void> {
  const until = Date.now() + limitMs;
  for (let n = 0; books.open.length > 0 && Date.now() < until; n += 1) {
    const { open } = books;
    const named = open.length < 4 ? `: ${open.map(({ id, tenant }) => `${id} of ${tenant}`).join(', ')}` : '';
    if (n % 60 === 0) say(`waiting for ${open.length} jobs and batches to end and be told${named}`);
    await sleep(1000);
    if (n % 5 === 0) await load.askForEnds(0);
  }
}

interface Outcome {
  readonly samples: readonly Sample[];
  readonly caused: readonly Caused[];
  readonly perSecond: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
  readonly said: readonly string[];
}

async function soak(o: SoakOptions, dir: string, stop: AbortController): Promise<Outcome> {
  const world = await startWorld({ dir, seed: 'soak' });
  const books = new Books();
  const load = createLoad(world, books);
  const receivers = receive(world, books);
  const samples: Sample[] = [];
  const caused: Caused[] = [];
  try {
    let perSecond = o.load;
    if (perSecond === undefined) {
      console.error(`measuring the most for ${MEASURE_S} s`);
      const most = await load.measure(MEASURE_S);
      perSecond = most / 2;
      console.error(`${most.toFixed(1)} requests a second at the most; ${perSecond.toFixed(1)} from now on, and faults`);
      await drain(books, load, SETTLE_MS, (line) => console.error(`  ${line}`));
    }
    const startedAt = Date.now();
    const clock = (): string => new Date(Date.now() - startedAt).toISOString().slice(11, 19);
    const sample = createSampler(world, books, startedAt);
    const look = async () => {
      const seen = await sample();
      samples.push(seen);
      await appendFile(join(dir, 'samples.jsonl'), `${JSON.stringify(seen)}\n`);
    };
    let kinds: Record<string, number> = {};
    const lookAtKeys = async () => {
      kinds = await keysByKind(world);
      const t = Math.round((Date.now() - startedAt) / 1000);
      await appendFile(join(dir, 'keys.jsonl'), `${JSON.stringify({ t, lasting: books.lasting, kinds })}\n`);
    };
    const tell = async () => {
      const { values } = samples.at(-1) ?? { values: {} as Sample['values'] };
      const of = (name: string): string => (values[name] ?? Number.NaN).toFixed(0);
      const memory = ['api', 'worker-1', 'worker-2'].map((name) => of(`${name}.rss`)).join(' ');
      console.error(
        `  ${clock()} accepted ${books.sums.accepted} ended ${books.sums.ended} live ${books.live} refused ${books.sums.refused} · webhooks ${books.sums.told} · RSS ${memory} MiB · keys ${of('redis.keys')} · faults ${caused.length}`,
      );
    };
    const { signal } = stop;
    const over = setTimeout(() => stop.abort(), o.minutes * 60_000);
    if (o.faults) world.emulator.configure({ mix: USUAL_MIX });
    await Promise.all([
      load.run(perSecond, signal),
      changeLimits(world, { perSecond, signal }),
      ...(o.faults ? [causeFaults(world, { everyMs: FAULT_EVERY_MS, signal, startedAt, receivers, caused })] : []),
      repeat(SAMPLE_MS, signal, look),
      repeat(KEYS_MS, signal, lookAtKeys),
      repeat(TELL_MS, signal, tell),
      repeat(ASK_MS, signal, () => load.askForEnds(60_000)),
    ]);
    clearTimeout(over);
    world.emulator.configure({ mix: [] });
    await drain(books, load, DRAIN_MS, (line) => console.error(`  ${clock()} ${line}`));
    const twice = world.emulator.ledger.doublyPaid();
    const open = books.open.slice(0, 20).map(({ id, hook }) => `${id}${hook ? ', told by a webhook' : ''}`);
    const problems = [
      ...(books.open.length > 0 ? [`${books.open.length} accepted and not ended or not told: ${open.join(' · ')}`] : []),
      ...(twice.length > 0 ? [`paid for twice: ${twice.slice(0, 20).join(' · ')}`] : []),
      ...(books.odd.length > 0
        ? [`${books.odd.length} answers that nothing explains:`, ...books.odd.map((line) => `  ${line}`)]
        : []),
    ];
    const { accepted, ended, told } = books.sums;
    const answers = [...books.answers].sort(([a], [b]) => a.localeCompare(b)).map(([name, count]) => `${name}: ${count}`);
    return {
      ...{ samples, caused, perSecond, kinds, problems },
      said: [
        `jobs: ${accepted} accepted, ${ended} ended and told; webhooks: ${told}; tasks paid for: ${world.emulator.ledger.tasks.length}`,
        `answers: ${answers.join(' · ')}`,
      ],
    };
  } finally {
    await load.close();
    await world.stop();
  }
}

const FEW = 20;

const kindsTable = (kinds: Readonly<Record<string, number>>): string => {
  const many = Object.entries(kinds).filter(([, count]) => count >= FEW);
  return [
    '| keys at the end | | |',
    '| --- | ---: | --- |',
    ...many.map(([kind, count]) => `| \`${kind}\` | ${count} | ${LONG_LIVED[kind] ?? ''} |`),
    `| ${Object.keys(kinds).length - many.length} kinds of fewer than ${FEW} | | |`,
  ].join('\n');
};

async function main(o: SoakOptions): Promise<void> {
  const dir = join(DATA, new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-'));
  await mkdir(dir, { recursive: true });
  const stop = new AbortController();
  // The first ends the load; the second ends it all.
  process.once('SIGINT', () => {
    console.error('ending: what was accepted may end; Ctrl-C again leaves at once');
    stop.abort();
    process.once('SIGINT', () => process.exit(130));
  });
  process.once('SIGTERM', () => process.exit(143));
  const machine = await describeMachine();
  console.error(`pnpm soak --minutes ${o.minutes}; ${machine}\n${dir}`);
  const outcome = await soak(o, dir, stop);
  const { samples, caused, perSecond } = outcome;
  const minutes = ((samples.at(-1)?.t ?? 0) / 60).toFixed(0);
  const title = `${minutes} minutes of mixed load at ${perSecond.toFixed(0)} requests a second, ${caused.length} faults`;
  const subtitle = `commit ${describeCommit()} · ${machine} · red marks are faults · slopes of the last two thirds`;
  const { table, chart, growing } = describe(samples, { title, subtitle, faults: caused.map(({ t }) => t) });
  const tally = [...Map.groupBy(caused, ({ name }) => name)].map(([name, all]) => `${name} ${all.length}`);
  const text = [
    `## ${title}\n\n${subtitle}\n`,
    ...outcome.said,
    `faults: ${tally.join(' · ') || 'none'}`,
    `\n${table}\n\n${kindsTable(outcome.kinds)}\n`,
    growing.length === 0 ? 'Nothing grows.' : `Growing: ${growing.join(', ')}.`,
    outcome.problems.length === 0
      ? 'Every accepted job has ended, nothing was paid for twice, and every end was told.'
      : `Wrong:\n${outcome.problems.join('\n')}`,
  ].join('\n');
  await Promise.all([writeFile(join(dir, 'chart.svg'), chart), writeFile(join(dir, 'report.txt'), `${text}\n`)]);
  if (o.chart !== undefined) await copyFile(join(dir, 'chart.svg'), o.chart);
  console.log(`${text}\n\n${join(dir, 'chart.svg')}`);
  process.exitCode = growing.length === 0 && outcome.problems.length === 0 ? 0 : 1;
}

await main(optionsOrEnd(parseOptions, HELP));
