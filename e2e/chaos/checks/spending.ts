import type { Submit } from '@grsai-jobs/grsai-emulator';
import { type Evidence, type JobEvidence, recordOf } from '../evidence.ts';
import { REFUSALS, TENANTS, type Tenant } from '../tenants.ts';
import { nameOf } from './jobs.ts';

/** A move of credits at upstream: what a call took, or what came back of it. */
interface Move {
  readonly at: number;
  readonly credits: number;
}

const isChat = ({ kind }: Submit): boolean => kind === 'chat';

/** Chats that failed have given back at once; tasks do so at their end. */
function movesOf({ tasks, submits }: JobEvidence): Move[] {
  return [
    ...submits.filter(isChat).map(({ at, charged, refunded }) => ({ at, credits: charged - refunded })),
    ...tasks.flatMap(({ createdAt, endedAt, charged, refunded }) => [
      { at: createdAt, credits: charged },
      { at: endedAt ?? createdAt, credits: -refunded },
    ]),
  ];
}

const sum = (moves: readonly Move[]): number => moves.reduce((all, { credits }) => all + credits, 0);
const ofTenant = ({ jobs }: Evidence, tenant: Tenant) => jobs.filter(({ planned }) => planned.tenant === tenant);

/** What records and usage say was charged is what upstream has taken, or stands aside as unknown. */
export function costsAddUp(evidence: Evidence): string[] {
  const jobs = evidence.jobs.flatMap((job) => {
    const raw = recordOf(job)?.raw ?? {};
    const [charged, open] = [Number(raw['chg'] ?? 0), Number(raw['unk'] ?? 0) + Number(raw['rsv'] ?? 0)];
    const taken = sum(movesOf(job));
    if (charged <= taken && taken <= charged + open) return [];
    return [`${nameOf(job)} says ${charged} charged and ${open} unknown, and upstream has taken ${taken}`];
  });
  const tenants = TENANTS.flatMap((tenant) => {
    const { credits, reserved } = evidence.usage[tenant];
    const taken = sum(ofTenant(evidence, tenant).flatMap(movesOf));
    if (credits <= taken && taken <= credits + reserved) return [];
    return [`the usage of ${tenant} says ${credits} charged and ${reserved} reserved, and upstream has taken ${taken}`];
  });
  return [...jobs, ...tenants];
}

/** At no call had upstream taken more of a tenant than its budget was: the larger one, while it was being changed. */
export function budgetsHold(evidence: Evidence): string[] {
  return TENANTS.flatMap((tenant) => {
    const moves = ofTenant(evidence, tenant).flatMap(movesOf);
    const changes = evidence.limits.filter((change) => change.tenant === tenant && change.limits.budget !== undefined);
    const over = moves.flatMap(({ at }) => {
      // A budget only rises: the last one that was asked for is the largest that can have held.
      const budget = changes.findLast(({ askedAt }) => askedAt <= at)?.limits.budget?.credits;
      const taken = sum(moves.filter((move) => move.at <= at));
      return budget === undefined || taken <= budget
        ? []
        : [`${tenant} had ${taken} taken of ${budget} at ${new Date(at).toISOString()}`];
    });
    return over.slice(0, 3);
  });
}

/** A change is followed everywhere within this (docs/operations.md). */
const FOLLOWED_MS = 5000;

/** A limit refuses with its own code, and no longer once it was lifted. */
export function refusalsAreRight({ jobs, batches, limits }: Evidence): string[] {
  const sent = [
    ...jobs.map(({ planned, answers }) => ({ tenant: planned.tenant, answers })),
    ...batches.map((batch) => ({ tenant: batch.jobs[0]?.tenant, answers: batch.answers })),
  ];
  return sent.flatMap(({ tenant, answers }) => {
    if (tenant === undefined) return [];
    const lifted = limits.findLast((change) => change.tenant === tenant)?.answeredAt ?? Number.POSITIVE_INFINITY;
    return answers.flatMap(({ at, status, text }) => {
      if (status !== 402 && status !== 429) return [];
      const known = REFUSALS[tenant].some((code) => text.includes(`problem:${code}"`));
      if (!known) return [`${tenant} was refused with ${status} ${text}`];
      return at > lifted + FOLLOWED_MS ? [`${tenant} was refused ${at - lifted} ms after its limits were lifted: ${text}`] : [];
    });
  });
}
