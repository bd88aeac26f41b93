#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { createRandom } from './random.ts';
import { Scripts } from './redis/lua/scripts.ts';
import { explore, liveWithOne, SMALL_PLANS } from './world/explore.ts';
import { FAILOVER_KINDS, failoverLife, heldIn, isFailoverKind } from './world/failover-lives.ts';
import { FAULT_NAMES } from './world/faults.ts';
import { interleave, liveBy } from './world/interleavings.ts';
import { readStory, writeStory } from './world/kept-stories.ts';
import { type LifeOptions, live } from './world/live.ts';
import { type Plan, planOf } from './world/plan.ts';
import { shrink } from './world/shrink.ts';
import { timelineOf } from './world/timeline.ts';

const HELP = `pnpm simulate [--minutes N] [--seed S] [--jobs N] [--calm] [--story]
pnpm simulate --failovers KIND [--minutes N] [--seed S] [--story]
pnpm simulate --kept FILE
pnpm simulate --every-step [--minutes N]
pnpm simulate --every-order [--minutes N]

Lives lives of the whole service in virtual time, each from one seed, with everything going wrong that can,
and holds each against the promises. A seed that breaks one is shrunk, told as a story, written to .data/simulation, and ends the run with 1.
What stands in simulation/stories is lived by npm test again and again.

  --minutes N   how long to go on, in real minutes (default 1)
  --seed S      only this seed; without it seeds follow from the time of the start
  --jobs N      jobs of each life (default: 400 to 6000, as the seed says)
  --calm        nothing goes wrong
  --failovers KIND  instead: lives of 300 jobs in which nothing goes wrong but failovers of Redis, every 12 s or 30 s;
                KIND is replica, memory, or memory-kills (workers die in the same second)
  --kept FILE   instead: the life of a story that was written
  --every-step  instead: one job or batch, and each fault before each step of its life, as far as the minutes reach
  --every-order instead: the same small lives with everything that is sent at one moment arriving in every order, and a worker killed
                before everything that comes to it, as far as the minutes reach
  --story       tells what happened in the life of --seed, whatever came of it
`;

const { values: o } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    jobs: { type: 'string' },
    calm: { type: 'boolean', default: false },
    failovers: { type: 'string' },
    kept: { type: 'string' },
    story: { type: 'boolean', default: false },
    'every-step': { type: 'boolean', default: false },
    'every-order': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (o.help) {
  console.log(HELP);
  process.exit(0);
}

const minutes = Number(o.minutes);
if (!(minutes > 0)) {
  console.error(`--minutes takes a number above 0, not ${o.minutes}`);
  process.exit(2);
}
const scripts = new Scripts();
if (o.kept !== undefined) {
  const { plan, world } = readStory(o.kept);
  const life = await live(plan, { scripts, tells: true, ...world, ...heldIn(world) });
  console.log(timelineOf(life));
  process.exit(life.violations.length > 0 ? 1 : 0);
}
if (o['every-order']) {
  const forMs = (minutes * 60_000) / Object.keys(SMALL_PLANS).length;
  for (const [name, plan] of Object.entries(SMALL_PLANS)) {
    const started = performance.now();
    const { states, lives, isWhole, broken } = await interleave(plan, { scripts, until: started + forMs });
    const tookS = ((performance.now() - started) / 1000).toFixed(0);
    console.log(`${name}: ${states} states in ${lives} lives and ${tookS} s${isWhole ? ', which are all' : ''}`);
    if (broken === null) continue;
    console.error(timelineOf(await liveBy(plan, broken.ways, { tells: true })));
    process.exit(1);
  }
  process.exit(0);
}
if (o['every-step']) {
  const until = performance.now() + minutes * 60_000;
  for (const [name, plan] of Object.entries(SMALL_PLANS)) {
    const started = performance.now();
    const { steps, lives, broken } = await explore(plan, { until });
    const tookS = ((performance.now() - started) / 1000).toFixed(0);
    console.log(
      `${name}: ${lives} of ${steps * FAULT_NAMES.length} lives (${steps} steps × ${FAULT_NAMES.length} faults) in ${tookS} s`,
    );
    if (broken === null) continue;
    console.error(timelineOf(await liveWithOne(plan, broken.fault, broken.step, { tells: true })));
    process.exit(1);
  }
  process.exit(0);
}
const kind = o.failovers;
if (kind !== undefined && !isFailoverKind(kind)) {
  console.error(`--failovers takes ${FAILOVER_KINDS.join(', ')}, not ${kind}`);
  process.exit(2);
}
const lifeOf = (seed: string): { plan: Plan; options: LifeOptions } => {
  if (kind !== undefined) return failoverLife(seed, kind);
  const jobs = o.jobs === undefined ? {} : { jobs: Number(o.jobs) };
  return { plan: planOf(seed, createRandom(seed).fork('plan'), { calm: o.calm, ...jobs }), options: {} };
};

const began = performance.now();
const first = o.seed ?? Date.now().toString(36);
const sum = {
  lives: 0,
  jobs: 0,
  virtualMs: 0,
  faults: 0,
  unknownSubmits: 0,
  repeatedChats: 0,
  resubmitted: 0,
  heldBack: 0,
  slowestEndMs: 0,
};
do {
  const seed = o.seed ?? `${first}-${sum.lives + 1}`;
  const { plan, options } = lifeOf(seed);
  const life = await live(plan, { scripts, ...options, tells: o.story });
  if (life.violations.length > 0) {
    console.error(
      `seed ${seed} broke a promise: ${life.violations[0]?.about} ${life.violations[0]?.what}\nlooking for a shorter story …`,
    );
    const short = await shrink(life, { live: (each) => live(each, { scripts, ...options }), forMs: 60_000 });
    const { holds: _holds, ...world } = options;
    const told = await live(short.plan, { ...options, tells: true });
    console.error(
      `${timelineOf(told.violations.length > 0 ? told : short)}\n\nagain: pnpm simulate --kept ${writeStory(short, world)}, and whole: pnpm simulate${kind === undefined ? '' : ` --failovers ${kind}`} --seed ${seed}`,
    );
    process.exit(1);
  }
  if (o.story)
    for (const line of life.lines) console.log((line.at / 1000).toFixed(3), line.who, line.what, JSON.stringify(line.with));
  sum.lives += 1;
  sum.jobs += life.jobs;
  sum.virtualMs += life.lastedMs;
  sum.slowestEndMs = Math.max(sum.slowestEndMs, life.endedAfterMs);
  for (const n of life.faults.values()) sum.faults += n;
  for (const name of ['unknownSubmits', 'repeatedChats', 'resubmitted', 'heldBack'] as const) sum[name] += life.allowed[name];
  if (process.stderr.isTTY)
    process.stderr.write(`\r${sum.lives} lives, ${sum.jobs} jobs, ${(sum.virtualMs / 3600_000).toFixed(1)} h lived `);
} while (o.seed === undefined && performance.now() - began < minutes * 60_000);

const realS = (performance.now() - began) / 1000;
console.log(
  `${sum.lives} lives from seed ${first}: ${sum.jobs} jobs, ${sum.faults} faults, ${(sum.virtualMs / 3600_000).toFixed(1)} h lived in ${realS.toFixed(0)} s (${Math.round((60 * sum.jobs) / realS)} jobs a minute)\n` +
    `no promise was broken; allowed and explained: ${sum.unknownSubmits} unknown submits, ${sum.repeatedChats} repeated chats, ${sum.resubmitted} image jobs submitted again by their caller's wish, ${sum.heldBack} jobs held for a decision\n` +
    `the last job ended ${(sum.slowestEndMs / 1000).toFixed(0)} s after the last fault at most`,
);
