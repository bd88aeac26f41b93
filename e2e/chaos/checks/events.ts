import { type BatchEvidence, type Evidence, type JobEvidence, recordOf, type StreamEvent } from '../evidence.ts';
import { nameOf } from './jobs.ts';

/** How each run of a job ended, from the record: run → status. */
function endsOf(job: JobEvidence): Map<number, string> {
  const record = recordOf(job);
  if (record === undefined) return new Map();
  const past = Object.entries(record.past).map(([run, { status }]) => [Number(run), status] as const);
  return new Map([...past, [record.run, record.status]]);
}

/** The events that end a run. */
export const TERMINAL_EVENTS: readonly string[] = ['job.succeeded', 'job.failed', 'job.canceled', 'job.expired'];

/** The shared stream has one terminal event for each run, the one that the record has, and its numbers have no gap. */
export function oneTerminalEventForEachRun({ jobs, events }: Evidence): string[] {
  const byJob = Map.groupBy(events, (event) => event.job);
  return jobs.flatMap((job) => {
    const own = byJob.get(recordOf(job)?.id ?? '') ?? [];
    const terminal = own.filter((event) => TERMINAL_EVENTS.includes(event.type)).map((event) => event.type);
    const wanted = [...endsOf(job)].sort(([a], [b]) => a - b).map(([, status]) => `job.${status}`);
    const said =
      terminal.join(', ') === wanted.join(', ') ? [] : [`terminal events ${terminal.join(', ')}, wanted ${wanted.join(', ')}`];
    return [...said, ...gapsOf(own)].map((problem) => `${nameOf(job)}: ${problem}`);
  });
}

function gapsOf(events: readonly StreamEvent[]): string[] {
  const bad = events.find((event, i) => event.seq !== i + 1);
  return bad ? [`the event ${bad.type} has the number ${bad.seq}, its place is ${events.indexOf(bad) + 1}`] : [];
}

/** Ids of the webhooks that a job sends, made from job, run and type (design.md §5). */
function pendingIds(job: JobEvidence): string[] {
  const record = recordOf(job);
  const { webhook } = job.planned;
  if (record === undefined || webhook === undefined) return [];
  const asked = webhook.events ?? TERMINAL_EVENTS;
  return [...endsOf(job)]
    .filter(([, status]) => asked.includes(`job.${status}`))
    .map(([run, status]) => `evt_${record.id.slice('job_'.length)}_${run}_job_${status}`);
}

/** Ids of the webhooks that a batch sends: one for each round. */
const deliveriesOfBatch = ({ view }: BatchEvidence): string[] =>
  Array.from({ length: view?.round ?? 0 }, (_, i) => `evt_${view?.id.slice('batch_'.length)}_${i + 1}_batch_completed`);

/** P4: every pending delivery has arrived and was taken, nothing else came, each was signed and reports its own end. */
export function pendingDeliveriesArrive({ jobs, batches, hooks, receivedEvents }: Evidence): string[] {
  const unsent = new Map([
    ...jobs.flatMap((job) => pendingIds(job).map((id) => [id, nameOf(job)] as const)),
    ...batches.flatMap((batch) => deliveriesOfBatch(batch).map((id) => [id, batch.view?.id ?? ''] as const)),
  ]);
  const said: string[] = [];
  for (const [id, who] of unsent) if (!receivedEvents.has(id)) said.push(`${who}: ${id} never arrived`);
  for (const hook of hooks) {
    const id = String(hook.headers['webhook-id']);
    if (!unsent.has(id)) said.push(`${id} arrived, and no job or batch sends it`);
    if (hook.signature !== 'valid') said.push(`${id} arrived with a signature that is ${hook.signature}`);
    const body = hook.json as { id?: string; type?: string; data?: { id?: string; status?: string } } | undefined;
    const right =
      body?.id === id && id.endsWith(`_${body.type?.replace('.', '_')}`) && body.type?.split('.')[1] === body.data?.status;
    if (!right) said.push(`${id} arrived with a body that reports ${body?.type} and ${body?.data?.status}`);
  }
  return [...new Set(said)];
}
