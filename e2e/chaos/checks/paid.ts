import type { LedgerTask } from '@grsai-jobs/grsai-emulator';
import { type Evidence, type JobEvidence, recordOf } from '../evidence.ts';
import type { End } from '../eye.ts';
import { TERMINAL_EVENTS } from './events.ts';
import { endOf, nameOf } from './jobs.ts';
import { lostAnswers, openAtTrouble } from './unknown.ts';

const span = (task: LedgerTask): string =>
  `${task.id} (${task.status}, ${task.charged - task.refunded} credits kept, ${new Date(task.createdAt).toISOString()} to ${task.endedAt === undefined ? 'now' : new Date(task.endedAt).toISOString()})`;

const overlap = (a: LedgerTask, b: LedgerTask): boolean =>
  a.createdAt < (b.endedAt ?? Number.POSITIVE_INFINITY) && b.createdAt < (a.endedAt ?? Number.POSITIVE_INFINITY);

/**
 * P2: without `resubmit` a job never has two tasks alive at once, nor two that kept their charge. No job of the load is
 * reopened by its caller, and a late result submits nothing, so what holds for a run holds for the whole job.
 */
export function noTaskIsPaidTwice({ jobs }: Evidence): string[] {
  return jobs.flatMap((job) => {
    if (job.planned.onUnknown === 'resubmit') return [];
    const kept = job.tasks.filter((task) => task.charged > task.refunded);
    const alive = job.tasks.filter((task, i) => job.tasks.some((other, k) => k !== i && overlap(task, other)));
    return [
      ...(kept.length > 1 ? [`${nameOf(job)} paid for ${kept.map(span).join(' and ')}`] : []),
      ...(alive.length > 1 ? [`${nameOf(job)} had tasks alive at once: ${alive.map(span).join(' and ')}`] : []),
    ];
  });
}

/** Ends that may leave a task behind that succeeded. */
const mayLeave = (end: End): boolean =>
  end.status === 'expired' || end.status === 'canceled' || end.error?.code === 'submit_unknown';

/**
 * P3: a task that succeeded belongs to a job that succeeded, or to one that ended `submit_unknown`, `canceled` or `expired`.
 * A sleeper's task succeeds only on paper, as the clock goes past its end and the death of its id in one step. A job that
 * allowed a second submit and lost sight of the first may end in any way that the second one does.
 */
export function paidResultsAreKept(evidence: Evidence): string[] {
  const open = openAtTrouble(evidence);
  return evidence.jobs.flatMap((job) => {
    const succeeded = job.tasks.filter((task) => task.status === 'succeeded');
    const record = recordOf(job);
    if (succeeded.length === 0 || record?.status === 'succeeded' || (record && mayLeave(record))) return [];
    if (job.planned.kind === 'sleeper' && record?.error?.code === 'upstream_result_lost') return [];
    if (job.planned.onUnknown === 'resubmit' && lostAnswers(job) + open.of(record?.id) > 0) return [];
    return [`${nameOf(job)} is ${endOf(job)}, though ${succeeded.map(span).join(' and ')} succeeded`];
  });
}

/** What stands in the record, what lies in the bucket and what upstream served are the same bytes. */
export function storedResultsAreRight(evidence: Evidence): string[] {
  return evidence.jobs.flatMap((job) => problemsOf(evidence, job).map((problem) => `${nameOf(job)}: ${problem}`));
}

function problemsOf({ served, objects }: Evidence, job: JobEvidence): string[] {
  const record = recordOf(job);
  if (record?.status !== 'succeeded') return [];
  const { output } = record;
  switch (output?.kind) {
    case 'chat': {
      const { choices } = output.completion as { choices?: { message?: { content?: string } }[] };
      return choices?.[0]?.message?.content ? [] : ['succeeded with an empty completion'];
    }
    case 'chat_file':
      return objects.get(output.key) === output.sha256 ? [] : [`the object ${output.key} is not what the record says`];
    case 'images': {
      const [image] = output.images;
      if (image === undefined) return ['succeeded without an image'];
      const upstream = job.tasks.flatMap((task) => served.get(task.id) ?? []);
      return [
        ...(objects.get(image.key) === image.sha256 ? [] : [`the object ${image.key} is not what the record says`]),
        ...(upstream.includes(image.sha256) ? [] : [`${image.sha256} is nothing that upstream served for it`]),
      ];
    }
    default:
      return ['succeeded without a result'];
  }
}

/** The clocks of apps and upstream are one machine's; this is for what was on the way. */
const SLACK_MS = 1000;

/**
 * P2: nothing is bought for a run that has ended. The one way to it that no service can close is a freeze between the last
 * look at the clock and the first byte, so a worker that was frozen may.
 */
export function nothingIsBoughtAfterTheEnd({ jobs, events, troubles }: Evidence): string[] {
  const frozen = new Set(
    troubles.filter(({ trouble }) => trouble.kind === 'worker.freeze').flatMap(({ open }) => open.map((call) => call.id)),
  );
  return jobs.flatMap((job) => {
    const id = recordOf(job)?.id ?? '';
    const end = events.find((event) => event.job === id && TERMINAL_EVENTS.includes(event.type));
    const late = job.submits.filter((submit) => end !== undefined && submit.at > end.at + SLACK_MS);
    if (late.length === 0 || frozen.has(id)) return [];
    const times = late.map((submit) => new Date(submit.at).toISOString()).join(', ');
    return [`${nameOf(job)} ended at ${new Date(end?.at ?? 0).toISOString()} (${end?.type}), and was submitted at ${times}`];
  });
}
