import type { Random } from '../random.ts';
import { condition, type Fault } from './fault.ts';
import { OUTSIDE_FAULTS } from './faults-outside.ts';
import type { Plan } from './plan.ts';
import type { SimulatedProcess } from './process.ts';
import type { CallKind } from './upstream.ts';
import type { World } from './world.ts';

function pickLive<P extends SimulatedProcess>(random: Random, processes: readonly P[]): P | null {
  const live = processes.filter(({ state }) => state === 'running');
  return live.length === 0 ? null : random.pick(live);
}

const restart = (world: World, of: 'workers' | 'apis', dead: SimulatedProcess) => () => {
  if (of === 'workers') {
    world.workers = world.workers.filter((each) => each !== dead);
    world.startWorker();
  } else {
    world.apis = world.apis.filter((each) => each !== dead);
    world.startApi();
  }
};

const kill = (of: 'workers' | 'apis', weight: number): Fault => ({
  name: `kill ${of}`,
  weight,
  begin(world, random) {
    const victim = pickLive<SimulatedProcess>(random, world[of]);
    if (victim === null) return null;
    // Between any two steps of its work.
    victim.atNext(random.whole(1, 20), () => {
      if (victim.state === 'running') world.story('fault', `SIGKILL ${victim.name}`);
      victim.kill();
    });
    const undo = () => {
      victim.kill();
      restart(world, of, victim)();
    };
    return { what: `${victim.name} will be killed between two steps`, undo, inMs: random.whole(1000, 5000) };
  },
});

/** SIGKILL to any worker or API; another starts soon. Answers which. */
export function killOne(world: World, random: Random, kinds: readonly ('workers' | 'apis')[]): string | null {
  const of = random.pick(kinds);
  const victim = pickLive<SimulatedProcess>(random, world[of]);
  if (victim === null) return null;
  victim.kill();
  world.time.after(random.whole(200, 4000), restart(world, of, victim));
  return victim.name;
}

const HOUR_MS = 3600_000;

/** P6, with some time beside `SHUTDOWN_TIMEOUT_S`. */
const STOPS_WITHIN_MS = 30_000;

const OWN_FAULTS: readonly Fault[] = [
  kill('workers', 6),
  kill('apis', 3),
  {
    name: 'terminate a worker',
    weight: 4,
    begin(world, random) {
      const worker = pickLive(random, world.workers);
      if (worker === null) return null;
      const began = world.time.now();
      const frozenBefore = worker.timesFrozen;
      let hasStopped = false;
      worker.terminate().then(
        () => {
          hasStopped = true;
          worker.kill();
        },
        (error: unknown) => world.violation(`a stop failed: ${String(error)}`, worker.name),
      );
      return {
        what: `SIGTERM ${worker.name}`,
        inMs: STOPS_WITHIN_MS,
        undo: () => {
          const hadItsTime = worker.state === 'running' && worker.timesFrozen === frozenBefore;
          if (!hasStopped && hadItsTime && world.time.now() - began >= STOPS_WITHIN_MS)
            world.violation('a stop took longer than its limit', worker.name);
          worker.kill();
          restart(world, 'workers', worker)();
        },
      };
    },
  },
  {
    name: 'freeze',
    weight: 5,
    begin(world, random) {
      const victim = pickLive(random, [...world.workers, ...world.apis]);
      if (victim === null) return null;
      const callOff = victim.atNext(random.whole(1, 20), () => {
        victim.freeze();
        world.story('fault', `SIGSTOP ${victim.name}`);
      });
      const undo = () => {
        callOff();
        victim.thaw();
      };
      return { what: `${victim.name} will be stopped between two steps`, undo, inMs: random.pick([500, 5000, 20_000, 40_000]) };
    },
  },
  {
    name: 'freeze in a call',
    weight: 3,
    begin(world, random) {
      const wanted = random.pick<CallKind>(['submit', 'submit', 'synchronous call', 'poll of a failed task']);
      // Longer than its lock; of a call than its lease, and maybe than it takes to give up a job that is to be canceled.
      const forMs =
        wanted === 'poll of a failed task' ? random.whole(17_000, 45_000) : random.pick([random.whole(31_000, 45_000), 80_000]);
      let thaw: () => void = () => undefined;
      world.upstream.onCall = (process, call) => {
        if (call !== wanted || process.state !== 'running') return;
        world.upstream.onCall = null;
        process.freeze();
        world.story('fault', `SIGSTOP ${process.name} with a ${call} in flight`);
        thaw = () => process.thaw();
        world.time.after(forMs, thaw);
      };
      const undo = () => {
        world.upstream.onCall = null;
        thaw();
      };
      return { what: `whoever makes the next ${wanted} is stopped`, undo, inMs: 100_000 };
    },
  },
  {
    name: 'refuse an answer',
    weight: 2,
    begin(world, random) {
      const set = (value: boolean) => {
        world.redis.condition.readOnly = value;
      };
      world.upstream.onAccepted = () => {
        world.upstream.onAccepted = null;
        set(true);
        world.time.after(random.whole(200, 2000), () => set(false));
      };
      const undo = () => {
        world.upstream.onAccepted = null;
      };
      return { what: 'Redis is a replica when the next task is accepted', undo, inMs: 20_000 };
    },
  },
  {
    name: 'cut off',
    weight: 4,
    begin(world, random) {
      const victim = pickLive(random, [...world.workers, ...world.apis]);
      if (victim === null) return null;
      world.network.cutOff.add(victim);
      return {
        what: `${victim.name} cannot reach Redis`,
        undo: () => void world.network.cutOff.delete(victim),
        inMs: random.pick([200, 2000, 20_000]),
      };
    },
  },
  condition('redis is away', 3, [true], [200, 6000], (world, value) => {
    world.network.away = value ?? false;
    return 'nobody can reach Redis';
  }),
  {
    name: 'restart redis',
    weight: 2,
    begin(world, random) {
      world.network.away = true;
      world.redis.restart();
      const undo = () => {
        world.network.away = false;
      };
      return { what: 'Redis restarts', undo, inMs: random.whole(200, 3000) };
    },
  },
  condition('redis is full', 3, [true], [1000, 20_000], (world, value) => {
    world.redis.condition.full = value ?? false;
    return 'Redis is full';
  }),
  condition('redis is read-only', 1, [true], [200, 3000], (world, value) => {
    world.redis.condition.readOnly = value ?? false;
    return 'Redis is a replica';
  }),
  condition('redis loads', 1, [true], [200, 4000], (world, value) => {
    world.redis.condition.loading = value ?? false;
    return 'Redis reads its file';
  }),
  {
    name: 'a clock',
    weight: 2,
    begin(world, random) {
      const victim = pickLive(random, [...world.workers, ...world.apis]);
      if (victim === null) return null;
      victim.skewMs = random.pick([random.whole(-2000, 2000), HOUR_MS, -HOUR_MS, 8 * 24 * HOUR_MS]);
      return {
        what: `the clock of ${victim.name} is ${victim.skewMs} ms ahead`,
        undo: () => {
          victim.skewMs = 0;
        },
        inMs: random.whole(2000, 60_000),
      };
    },
  },
];

const FAULTS: readonly Fault[] = [...OWN_FAULTS, ...OUTSIDE_FAULTS];

function pickFault(random: Random, only: readonly string[]): Fault {
  const among = only.length === 0 ? FAULTS : FAULTS.filter(({ name }) => only.includes(name));
  let at = random.next() * among.reduce((sum, { weight }) => sum + weight, 0);
  for (const fault of among) {
    at -= fault.weight;
    if (at < 0) return fault;
  }
  return FAULTS[0] as Fault;
}

/** Whether something goes wrong on our side, so that repairs may be needed. */
export function isDisturbed(plan: Plan): boolean {
  const { faultEveryMs, only, lost, repeated, limits, oddities } = plan;
  const among = only.length === 0 ? FAULTS : FAULTS.filter(({ name }) => only.includes(name));
  // Whoever hears the second answer of a command does not hear which other jobs it has let in: they come 30 s later.
  const letsIn =
    repeated > 0 &&
    (plan.operatorEveryMs > 0 || plan.batches.length > 0 || Object.keys(limits).length > 0 || plan.maxInFlight < plan.jobs);
  return lost > 0 || letsIn || oddities.deadly > 0 || (faultEveryMs > 0 && among.some(({ outside }) => outside !== true));
}

export const FAULT_NAMES: readonly string[] = FAULTS.map(({ name }) => name);

/** Has one thing go wrong now, and end by itself. */
export function causeOne(world: World, name: string, random: Random): void {
  const began = FAULTS.find((each) => each.name === name)?.begin(world, random);
  if (!began) return;
  world.story('fault', began.what);
  if ('undo' in began) world.time.after(began.inMs, began.undo);
}

/** Has things go wrong, one after the other and several at once, until `heal` is called. What was counted is answered. */
export function causeFaults(world: World): { heal: () => void; counts: Map<string, number>; drawn: () => number } {
  const { plan, time } = world;
  const random = world.random.fork('faults');
  const open = new Set<() => void>();
  const counts = new Map<string, number>();
  let over = false;
  let nth = 0;

  function next(): void {
    if (over || plan.faultEveryMs === 0) return;
    time.after(random.whole(Math.floor(plan.faultEveryMs / 4), Math.floor(plan.faultEveryMs * 1.75)), () => {
      if (over) return;
      nth += 1;
      // Drawn whether or not it is left out, so that the faults after it stay as they were.
      const own = random.fork(`fault-${nth}`);
      if (!plan.without.includes(nth)) begin(own, nth);
      next();
    });
  }

  function begin(own: Random, number: number): void {
    const fault = pickFault(own, plan.only);
    const began = fault.begin(world, own);
    if (began === null) return;
    counts.set(fault.name, (counts.get(fault.name) ?? 0) + 1);
    world.story('fault', `#${number} ${began.what}`);
    if (!('undo' in began)) return;
    const undo = () => {
      if (!open.delete(undo)) return;
      world.story('fault', `#${number} is over`);
      began.undo();
    };
    open.add(undo);
    time.after(began.inMs, undo);
  }

  next();
  return {
    counts,
    drawn: () => nth,
    heal: () => {
      over = true;
      for (const undo of [...open]) undo();
      world.network.lost = 0;
      world.network.repeated = 0;
      for (const process of [...world.workers, ...world.apis]) process.skewMs = 0;
      world.story('fault', 'no more faults');
    },
  };
}
