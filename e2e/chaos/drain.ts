import { setTimeout as sleep } from 'node:timers/promises';
import { downloadServed } from './evidence.ts';
import type { Load } from './send-load.ts';
import type { World } from './world.ts';

const TERMINAL = new Set(['completed', 'succeeded', 'failed', 'canceled', 'expired']);

/** A killed synchronous call is believed for 310 s, and a lost entry of a paid result is looked for after 5 min (design.md §2.4, §2.6). */
const LIMIT_MS = 8 * 60_000;
const CHECK_EVERY_MS = 500;

/** Ids of task and file die after two hours (upstream.md §10.1). */
const PAST_TWO_HOURS_MS = 125 * 60_000;

/**
 * Waits until nothing is left to do, then puts the emulator's clock past two hours and waits for the sleepers, whose
 * results are lost with their ids. Gives up in silence: what is still open then is for the checks.
 */
export async function drain(world: World, { sent, batches }: Load): Promise<Map<string, string>> {
  const until = Date.now() + LIMIT_MS;
  const sleepers = new Set(
    sent.filter(({ job }) => job.kind === 'sleeper').flatMap(({ answers }) => answers.map((answer) => answer.id)),
  );
  const accepted = batches.flatMap(({ answers }) => answers.flatMap(({ id }) => id ?? []));
  const ended = async () => (await Promise.all(accepted.map(world.eye.batchStatus))).every((status) => TERMINAL.has(status));
  const awake = async () => (await isQuiet(world, (id) => sleepers.has(id))) && (await ended());
  await wait(until, async () => (await awake()) && !(await lateResultIsOut(world)));
  const served = await downloadServed(world);
  world.skipTime(PAST_TWO_HOURS_MS);
  await wait(until, async () => (await isQuiet(world, () => false)) && (await ended()));
  return served;
}

async function wait(until: number, quiet: () => Promise<boolean>): Promise<void> {
  while (Date.now() < until && !(await quiet())) await sleep(CHECK_EVERY_MS);
}

/** All jobs but the spared ones have ended, and no webhook is unsent. */
async function isQuiet(world: World, spared: (id: string) => boolean): Promise<boolean> {
  const ids = (await world.eye.jobIds()).filter((id) => !spared(id));
  const states = await world.eye.states(ids);
  return states.every((state) => TERMINAL.has(state)) && (await world.eye.pendingDeliveries()) === 0;
}

/** A task of a job that ended without it has succeeded, and the late sweep has not seen it yet. */
async function lateResultIsOut(world: World): Promise<boolean> {
  const late = await Promise.all((await world.eye.lateJobs()).map((id) => world.eye.record(id)));
  const succeeded = new Set(world.emulator.ledger.tasksOf({ status: 'succeeded' }).map((task) => task.id));
  return late.some((record) => succeeded.has(record.task));
}
