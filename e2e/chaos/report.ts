import { CHECKS, type Finding } from './checks/index.ts';
import { endOf } from './checks/jobs.ts';
import { repairsOf } from './checks/repairs.ts';
import { unknownBound, unknownEnds } from './checks/unknown.ts';
import type { Evidence } from './evidence.ts';
import { repeatLine, type TroubleOptions } from './options.ts';

function tally(words: readonly string[]): string {
  const groups = [...Map.groupBy(words, (word) => word)].map(([word, all]) => [word, all.length] as const);
  return groups
    .sort(([, a], [, b]) => b - a)
    .map(([word, n]) => `${word} ${n}`)
    .join(' · ');
}

/** What happened and what was found, in lines. */
export function report(o: TroubleOptions, evidence: Evidence, found: readonly Finding[], tookMs: number): string {
  const { jobs, batches, troubles, hooks, counters } = evidence;
  const answers = jobs.flatMap((job) => job.answers);
  const tasks = jobs.flatMap((job) => job.tasks);
  return [
    `seed ${o.seed}${o.calm ? ' (calm)' : ''}: ${found.length === 0 ? 'passed' : 'FAILED'} in ${Math.round(tookMs / 1000)} s`,
    `  jobs       ${jobs.length}: ${tally(jobs.map(endOf))}`,
    `  batches    ${batches.length}: ${batches.map(({ jobs: lines, view }) => `${lines.length} lines ${view?.status ?? 'refused'}`).join(' · ')}`,
    `  posts      ${answers.length}: ${tally(answers.map(({ status, replayed }) => (status === 0 ? 'no answer' : `${status}${replayed ? ' replayed' : ''}`)))}`,
    `  troubles   ${tally(troubles.filter((caused) => caused.struck).map((caused) => caused.trouble.kind))}`,
    `  upstream   ${jobs.flatMap((job) => job.submits).length} paid calls; tasks: ${tally(tasks.map((task) => task.status))}`,
    `  limits     ${evidence.limits.length} changes; ${Object.entries(evidence.usage)
      .map(([tenant, { credits, reserved }]) => `${tenant} ${credits} credits charged, ${reserved} reserved`)
      .join(' · ')}`,
    `  unknown    ${unknownEnds(evidence)} ended submit_unknown, at most ${unknownBound(evidence)} may`,
    `  webhooks   ${hooks.length} received for ${evidence.receivedEvents.size} events`,
    `  counters   ${repairsOf(evidence).length} repairs logged; ${tally(Object.entries(counters).flatMap(([name, n]) => Array<string>(n).fill(name)))}`,
    `  checks     ${Object.keys(CHECKS).length - found.length} of ${Object.keys(CHECKS).length} held`,
    ...found.flatMap(({ check, problems }) => [`  ✗ ${check}`, ...problems.map((problem) => `      ${problem}`)]),
    ...(found.length === 0 ? [] : [`  again: ${repeatLine(o)}`]),
  ].join('\n');
}
