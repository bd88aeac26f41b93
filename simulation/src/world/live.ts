import { createRandom, type Random } from '../random.ts';
import { createCallers } from './callers.ts';
import { causeFailovers, type FailoversPlan } from './failovers.ts';
import { causeFaults, isDisturbed } from './faults.ts';
import { type Allowed, checkEnd, lookInto } from './invariants.ts';
import { createOperators } from './operators.ts';
import { orderOf } from './orders.ts';
import type { Plan } from './plan.ts';
import { causeRestore, type RestorePlan } from './restore.ts';
import { type StoryLine, type ViolationFound, World, type WorldOptions } from './world.ts';

/** What became of one life. */
export interface Life {
  readonly plan: Plan;
  readonly violations: readonly ViolationFound[];
  readonly lines: readonly StoryLine[];
  readonly jobs: number;
  /** How much time passed in it, in ms. */
  readonly lastedMs: number;
  /** How long after the last fault everything had ended, in ms. */
  readonly endedAfterMs: number;
  readonly faults: ReadonlyMap<string, number>;
  /** How many faults the plan had, with those that were left out. */
  readonly faultCount: number;
  /** Steps from the first call of a caller to the end. */
  readonly steps: number;
  readonly allowed: Allowed;
}

/** Once nothing goes wrong any more everything ends within this time: the longest waits are those of late results. */
const ENDS_WITHIN_MS = 4 * 3600_000;
const LOOK_EVERY_MS = 5000;
/** Nothing waits for so long after somebody should have looked: where nothing goes wrong on our side, and once nothing does any more. */
const OVERDUE_MS = { undisturbed: 4000, healed: 90_000 };
/** Whoever waits for what it may never have. */
const GIVES_UP_MS = 300_000;
const CHECK_ALL_EVERY_MS = 60_000;

export interface LifeOptions extends WorldOptions {
  /** Redis fails over while things go wrong. */
  readonly failovers?: FailoversPlan;
  /** Redis is restored from a backup once. */
  readonly restore?: RestorePlan;
  /** How soon after the last fault everything has to have ended, when not the usual time. */
  readonly endsWithinMs?: number;
  /** Chooses what is next of what could be at one moment; nothing is under way for any time then. */
  readonly order?: (ready: readonly unknown[], world: World) => number;
  /** Nobody wants to know how it goes on. */
  readonly isAbandoned?: () => boolean;
  /** Called before each step, which are counted from 1 for those after the start of the first caller. */
  readonly atStep?: (step: number, world: World) => void;
  /** Looks at the world once more when everything has been held against the promises. */
  readonly atEnd?: (world: World) => Promise<void>;
}

/**
 * Lives one life from its plan to its end, and holds it against the promises.
 */
export async function live(plan: Plan, o: LifeOptions = {}): Promise<Life> {
  const { endsWithinMs = ENDS_WITHIN_MS } = o;
  const world = new World(plan, o);
  const { time } = world;
  const random = createRandom(plan.seed).fork('orders');
  const look = lookInto(world);
  const { order, isAbandoned = () => false } = o;
  if (order !== undefined) {
    world.network.isInstant = true;
    time.order = (ready) => order(ready, world);
  }
  for (let n = 0; n < plan.apis; n += 1) world.startApi();
  for (let n = 0; n < plan.workers; n += 1) world.startWorker();
  const callers = createCallers(world);
  const open = new Set<Promise<void>>();
  const follow = (work: Promise<void>, about: string) => {
    const done = work
      .catch((error: unknown) => world.violation(`the caller met ${String(error)}`, about))
      .finally(() => open.delete(done));
    open.add(done);
  };
  const tenantOf = (own: Random) => `tenant-${own.chance(plan.unlike) ? 1 : own.whole(1, plan.tenants)}`;
  const added = (name: string, tenant: string, own: Random) => {
    const order = orderOf(name, tenant, plan.mix, own);
    world.orders.set(name, order);
    return order;
  };
  for (let n = 1; n <= plan.jobs; n += 1) {
    const own = random.fork(`order-${n}`);
    const order = added(`order-${n}`, tenantOf(own), own);
    time.after(own.whole(0, plan.forMs), () => follow(callers.place(order), order.name));
  }
  for (const [i, lines] of plan.batches.entries()) {
    const name = `batch-${i + 1}`;
    const own = random.fork(name);
    const tenant = tenantOf(own);
    const orders = Array.from({ length: lines }, (_, n) => added(`${name}-${n + 1}`, tenant, own));
    const batch = { name, tenant, orders, id: null, canceled: false };
    world.batches.push(batch);
    time.after(own.whole(0, plan.forMs), () => follow(callers.sendBatch(batch), name));
  }
  const faults = causeFaults(world);
  const failovers = o.failovers && causeFailovers(world, o.failovers);
  if (o.restore) causeRestore(world, o.restore);
  const operators = createOperators(world);
  if (plan.operatorEveryMs > 0 || Object.keys(plan.limits).length > 0) follow(operators.work(), 'operator');
  const start = time.now();
  const checkAll = () => {
    world.watch.checkAll();
    time.after(CHECK_ALL_EVERY_MS, checkAll);
  };
  checkAll();
  let healedAt = Number.POSITIVE_INFINITY;
  const isUndisturbed = !o.atStep && !o.failovers && !o.restore && !isDisturbed(plan);
  const checkOverdue = () => {
    if (isUndisturbed) world.watch.checkOverdue(OVERDUE_MS.undisturbed);
    else if (time.now() > healedAt + OVERDUE_MS.healed) world.watch.checkOverdue(OVERDUE_MS.healed);
    time.after(LOOK_EVERY_MS, checkOverdue);
  };
  checkOverdue();
  let steps = 0;
  const isBroken = () => {
    if (open.size > 0 || steps > 0) {
      steps += 1;
      o.atStep?.(steps, world);
    }
    return world.violations.length > 0 || isAbandoned();
  };
  await time.until(isBroken, start + plan.forMs);
  faults.heal();
  failovers?.heal();
  operators.stop();
  healedAt = time.now();
  let heldBack = 0;
  let unfinished = { live: 1, late: 0, deliveries: 0, operations: 0 };
  const hasGivenUp = () => plan.keepsLimits && time.now() > healedAt + GIVES_UP_MS;
  const isOver = () =>
    (open.size === 0 || hasGivenUp()) && world.acts.size === 0 && Object.values(unfinished).every((n) => n === 0);
  while (world.violations.length === 0 && !isAbandoned() && !isOver()) {
    if (time.now() - healedAt > endsWithinMs) {
      world.violation(
        `${JSON.stringify(unfinished)} ${await look.operations()} unfinished and ${open.size} callers waiting ${endsWithinMs} ms after the last fault`,
        'everything',
      );
      break;
    }
    await time.until(isBroken, time.now() + LOOK_EVERY_MS);
    // A Redis that still loads answers nobody.
    unfinished = await look.unfinished().catch(() => unfinished);
    heldBack += await look.letGo({ mayBeForgotten: o.failovers !== undefined || o.restore !== undefined }).catch(() => 0);
  }
  world.watch.checkAll();
  const endedAfterMs = time.now() - healedAt;
  const allowed =
    world.violations.length === 0 && !isAbandoned()
      ? await checkEnd(world, look, { disturbed: o.atStep !== undefined || o.failovers !== undefined || o.restore !== undefined })
      : { unknownSubmits: 0, repeatedChats: 0, resubmitted: 0, heldBack: 0 };
  allowed.heldBack = heldBack;
  await o.atEnd?.(world);
  return {
    ...{ plan, violations: world.violations, lines: world.lines, jobs: world.orders.size },
    ...{ lastedMs: time.now() - start, endedAfterMs, faults: faults.counts, faultCount: faults.drawn(), steps, allowed },
  };
}
