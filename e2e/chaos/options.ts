import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

/** What one run of troubles is told. */
export type TroubleOptions = Omit<ChaosOptions, 'failovers' | 'durability' | 'kills'>;

export interface ChaosOptions {
  /** How many jobs are sent. */
  jobs: number;
  /** About how long the run takes; half of it is trouble, the rest is what the jobs need to end after it. */
  minutes: number;
  seed: string;
  /** The same load and the same faults of upstream and S3, but nothing is killed, frozen or cut. */
  calm: boolean;
  /** In place of all that: so many planned and so many unplanned failovers of a Redis with Sentinels. */
  failovers: number;
  durability: 'memory' | 'replica';
  /** A process dies in the second of each failover. */
  kills: boolean;
  /** Where the logs go; undefined: to `.data/chaos/<seed>`, and only when the run failed. */
  keepLogs: string | undefined;
}

export const HELP = `pnpm chaos [--jobs N] [--minutes M] [--seed S] [--calm] [--keep-logs dir]
pnpm chaos --failovers N [--durability memory|replica] [--kills] [--seed S]

Sends jobs, alone and in batches, through two APIs and three workers over a real Redis, an S3 server and the emulator of upstream, kills and
freezes and cuts things while they run, and checks at the end what the service promises.

  --jobs N         how many jobs are sent (default 200)
  --minutes M      about how long it takes; half of that is trouble (default 2). It takes longer when something that was
                   killed has to be waited for, up to 8 minutes after the last trouble. From 1.5 minutes on jobs expire,
                   tasks outlive their ids and two workers are gone for longer than an open submit is believed; from 4
                   on there are synchronous calls that may not be repeated
  --seed S         what happens to which job, and what is killed when; by default random. The operating system
                   decides the rest, so a failure need not come again at once
  --calm           nothing is killed, frozen or cut: then nothing may be repaired
  --keep-logs dir  keeps logs, records and books there whatever comes of it; a failed run keeps them in
                   .data/chaos/<seed> anyway

  --failovers N    instead: ten jobs a second, and N planned and N unplanned failovers of a real Redis by real Sentinels
  --durability D   what processes wait for then: memory or replica (default replica)
  --kills          a worker or an API dies in the second of each failover

Examples:
  $ pnpm chaos
  $ pnpm chaos --failovers 10 --durability replica --kills
  $ pnpm chaos --jobs 300 --minutes 4 --seed 7 --keep-logs chaos-logs

Exit code 0 when every check held, 1 when one did not, 2 for wrong options, 3 when the run itself broke.`;

/** @returns undefined when help was asked for. @throws on what it does not know. */
export function parseOptions(args: readonly string[]): ChaosOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      jobs: { type: 'string', default: '200' },
      minutes: { type: 'string', default: '2' },
      seed: { type: 'string', default: String(randomInt(1_000_000)) },
      calm: { type: 'boolean', default: false },
      failovers: { type: 'string', default: '0' },
      durability: { type: 'string', default: 'replica' },
      kills: { type: 'boolean', default: false },
      'keep-logs': { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    jobs: positive('jobs', values.jobs),
    minutes: positive('minutes', values.minutes),
    seed: safeName(values.seed),
    calm: values.calm,
    failovers: values.failovers === '0' ? 0 : positive('failovers', values.failovers),
    durability: values.durability === 'memory' ? 'memory' : oneOf('durability', values.durability, 'replica'),
    kills: values.kills,
    keepLogs: values['keep-logs'],
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} must be a number above 0, not ${JSON.stringify(text)}`);
  return value;
}

function oneOf<T extends string>(name: string, text: string, known: T): T {
  if (text !== known) throw new Error(`--${name} must be memory or ${known}, not ${JSON.stringify(text)}`);
  return known;
}

/** The seed names a directory. */
function safeName(seed: string): string {
  if (!/^[\w-]{1,40}$/.test(seed)) throw new Error('--seed is 1 to 40 letters, digits, _ or -');
  return seed;
}

/** The line that repeats a run. */
export const repeatLine = (o: TroubleOptions): string =>
  `pnpm chaos --jobs ${o.jobs} --minutes ${o.minutes} --seed ${o.seed}${o.calm ? ' --calm' : ''}`;

/** How long things are killed and jobs are sent, ms. */
export const troubleMs = (o: Pick<ChaosOptions, 'minutes'>): number => o.minutes * 30_000;
