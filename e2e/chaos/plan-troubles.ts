import { createRandom, type Random } from './random.ts';

export const WORKERS = 3;
export const APIS = 2;

/** One thing that goes wrong; `ms` is how long it lasts. `cutoff`: the worker lives, and nothing passes between it and Redis. */
export type Trouble =
  | {
      readonly kind: 'worker.kill' | 'worker.freeze' | 'worker.cutoff';
      readonly atMs: number;
      readonly ms: number;
      readonly worker: number;
    }
  | { readonly kind: 'api.kill'; readonly atMs: number; readonly ms: number; readonly api: number }
  | { readonly kind: 'redis.kill' | 'redis.pause' | 'redis.refuse' | 'redis.cut'; readonly atMs: number; readonly ms: number }
  | { readonly kind: 's3.away'; readonly atMs: number; readonly ms: number; readonly how: 'error' | 'refuse' | 'hang' }
  | { readonly kind: 'upstream.away'; readonly atMs: number; readonly ms: number; readonly nodes: readonly number[] };

export type TroubleKind = Trouble['kind'];

interface Row {
  readonly kind: TroubleKind;
  readonly weight: number;
  /** How long it lasts, ms. */
  readonly from: number;
  readonly to: number;
}

const WORKER_KILL: Row = { kind: 'worker.kill', weight: 28, from: 200, to: 4000 };

/** `to` is cut to a fifth of the time of trouble in short runs. */
const ROWS: readonly [Row, ...Row[]] = [
  WORKER_KILL,
  { kind: 'worker.freeze', weight: 12, from: 4000, to: 8000 },
  { kind: 'worker.cutoff', weight: 6, from: 4000, to: 8000 },
  { kind: 'api.kill', weight: 12, from: 200, to: 3000 },
  { kind: 'redis.kill', weight: 12, from: 100, to: 3000 },
  { kind: 'redis.pause', weight: 6, from: 500, to: 6500 },
  { kind: 'redis.refuse', weight: 6, from: 200, to: 2500 },
  { kind: 'redis.cut', weight: 10, from: 0, to: 0 },
  { kind: 's3.away', weight: 7, from: 2000, to: 12_000 },
  { kind: 'upstream.away', weight: 7, from: 1000, to: 8000 },
];

/** What a calm run has as well: troubles of others that no process of ours dies of. */
const CALM: ReadonlySet<TroubleKind> = new Set(['s3.away', 'upstream.away']);

const MEAN_GAP_MS = 2500;
/** Longer than an open submit is believed (31 s, design.md §2.4): in a long run two workers are gone for so long. */
const LONG_MS = 34_000;

/** Each kind once, and a kill of a worker twice, then more of them by weight, at random times. */
export function planTroubles(o: { seed: string; troubleMs: number; calm: boolean }): Trouble[] {
  const random = createRandom(`${o.seed}/troubles`);
  const kinds = random.shuffle([...ROWS, WORKER_KILL]);
  const count = Math.max(kinds.length, Math.round(o.troubleMs / MEAN_GAP_MS));
  const drawn = Array.from({ length: count }, (_, i) => kinds[i] ?? random.weighted(ROWS));
  const troubles = drawn.map((row) => draw(random, row, o.troubleMs));
  const all = o.troubleMs > 1.5 * LONG_MS ? withLongAbsences(random, troubles, o.troubleMs) : troubles;
  return all.filter(({ kind }) => !o.calm || CALM.has(kind)).sort((a, b) => a.atMs - b.atMs);
}

/**
 * One worker is frozen and another cut off from Redis, each past the time of its open submits: the one finds its calls out
 * of time, the other comes back with task ids of runs that were given up. What would strike them meanwhile strikes the third.
 */
function withLongAbsences(random: Random, troubles: readonly Trouble[], troubleMs: number): Trouble[] {
  const [frozen = 0, cutOff = 1, third = 2] = random.shuffle([...Array(WORKERS).keys()]);
  const absences = [
    { kind: 'worker.freeze', atMs: 3000, ms: LONG_MS, worker: frozen },
    { kind: 'worker.cutoff', atMs: troubleMs - LONG_MS, ms: LONG_MS, worker: cutOff },
  ] as const;
  const meets = (a: Trouble, b: Trouble): boolean => a.atMs <= b.atMs + b.ms && b.atMs <= a.atMs + a.ms;
  const moved = troubles.map((trouble): Trouble => {
    const inTheWay = absences.some(
      (absence) => 'worker' in trouble && trouble.worker === absence.worker && meets(trouble, absence),
    );
    return inTheWay && 'worker' in trouble ? { ...trouble, worker: third } : trouble;
  });
  return [...moved, ...absences];
}

function draw(random: Random, row: Row, troubleMs: number): Trouble {
  const time = {
    atMs: Math.floor(1500 + random.unit() * (troubleMs - 1500)),
    ms: random.int(row.from, Math.max(row.from, Math.min(row.to, troubleMs / 5))),
  };
  const { kind } = row;
  switch (kind) {
    case 'worker.kill':
    case 'worker.freeze':
    case 'worker.cutoff':
      return { kind, ...time, worker: random.int(0, WORKERS - 1) };
    case 'api.kill':
      return { kind, ...time, api: random.int(0, APIS - 1) };
    case 's3.away':
      return { kind, ...time, how: random.pick(['error', 'refuse', 'hang'] as const) };
    case 'upstream.away':
      return { kind, ...time, nodes: random.pick([[0], [1], [0, 1]]) };
    default:
      return { kind, ...time };
  }
}
