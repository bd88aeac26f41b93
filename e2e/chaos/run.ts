import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { causeTroubles } from './cause-troubles.ts';
import { changeLimits } from './change-limits.ts';
import { type Finding, findings } from './checks/index.ts';
import { drain } from './drain.ts';
import { type Evidence, gather } from './evidence.ts';
import { type TroubleOptions, troubleMs } from './options.ts';
import { planJobs } from './plan-jobs.ts';
import { planTroubles } from './plan-troubles.ts';
import { report } from './report.ts';
import { sendLoad } from './send-load.ts';
import { startWorld } from './world.ts';

const DATA = fileURLToPath(new URL('../../.data/chaos/', import.meta.url));

export interface ChaosResult {
  readonly findings: readonly Finding[];
  readonly report: string;
}

/** One run: load and trouble together, then what is left is waited for, then everything is checked. */
export async function runChaos(o: TroubleOptions): Promise<ChaosResult> {
  const started = Date.now();
  const plan = { seed: o.seed, jobs: o.jobs, calm: o.calm, troubleMs: troubleMs(o) };
  const world = await startWorld(o);
  try {
    const now = Date.now();
    const [load, troubles, limits] = await Promise.all([
      sendLoad(world, planJobs(plan), now),
      causeTroubles(world, planTroubles(plan), now),
      changeLimits(world, { troubleMs: plan.troubleMs, startedAt: now }),
    ]);
    const served = await drain(world, load);
    const evidence = await gather(world, { calm: o.calm, load, troubles, limits, served });
    const found = findings(evidence);
    const text = report(o, evidence, found, Date.now() - started);
    const dir = o.keepLogs ?? (found.length > 0 ? join(DATA, o.seed) : undefined);
    if (dir !== undefined) await keep(dir, evidence, text);
    return { findings: found, report: dir === undefined ? text : `${text}\n  logs in ${dir}` };
  } finally {
    await world.stop();
  }
}

/** Writes down all that is known of a run. */
async function keep(dir: string, evidence: Evidence, text: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const json = (name: string, value: unknown) => writeFile(join(dir, name), `${JSON.stringify(value, null, 1)}\n`);
  await Promise.all([
    writeFile(join(dir, 'report.txt'), `${text}\n`),
    json('jobs.json', evidence.jobs),
    json('batches.json', evidence.batches),
    json('troubles.json', evidence.troubles),
    json('limits.json', { limits: evidence.limits, usage: evidence.usage }),
    json('events.json', evidence.events),
    json('webhooks.json', evidence.hooks),
    ...evidence.processes.map(({ name, lines }) =>
      writeFile(join(dir, `${name}.log`), lines.map((line) => `${line.raw}\n`).join('')),
    ),
  ]);
}
