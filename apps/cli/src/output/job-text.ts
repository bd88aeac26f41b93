import { type ImageResult, imagesOf, type Job, textOf } from '@grsai-jobs/client';
import { ago, between, bytes, costText, duration, oneLine, printable, waitingText } from './format.ts';
import { type Paint, paintStatus } from './paint.ts';
import { type Column, cut, facts, table } from './table.ts';

/** The link of a chat answer that was too large for the record. */
const chatLinkOf = ({ result }: Job): string => (result !== null && 'url' in result ? String(result.url) : '');

/** Outputs that could not be kept, beside those that are. */
const lostOf = ({ result }: Job): NonNullable<ImageResult['lost']> =>
  result !== null && 'images' in result ? ((result as ImageResult).lost ?? []) : [];

/** What the caller came for: the text of the answer, or the links of the images; of a failed job nothing. A file gets it as it is. */
export function resultText(job: Job, toTerminal: boolean): string {
  const text = textOf(job);
  if (text !== undefined) return toTerminal ? printable(text) : text;
  return (
    imagesOf(job)
      .map(({ url }) => url)
      .join('\n') || chatLinkOf(job)
  );
}

/** When, and how a person goes on. */
export interface Shown {
  /** Ms since 1970. */
  now: number;
  program: string;
}

export const shownBy = ({ now, program }: { now: () => number; program: string }): Shown => ({ now: now(), program });

/** `failed: content_rejected, …` with what may be done; one line for each. */
export function endText(job: Job, paint: Paint, { now, program }: Shown): string {
  const took = between(job.created_at, job.finished_at, now);
  const head = `${job.id} ${paintStatus(paint, job.status)} after ${took}`;
  if (job.error === null) return head;
  return [`${head}: ${job.error.code}`, `  ${oneLine(job.error.message)}`, ...upstreamText(job), ...retryText(job, program)].join(
    '\n',
  );
}

/** The error in an answer of upstream; the answer as it is where that is not to be found. */
function saidIn(answer: string): string {
  try {
    const { error, message } = JSON.parse(answer) as { error?: string | { message?: string }; message?: string };
    const said = (typeof error === 'object' ? error.message : error) || message;
    return typeof said === 'string' ? said : answer;
  } catch {
    return answer;
  }
}

/** What upstream said, so that it need not be looked for in the JSON. */
function upstreamText({ error }: Job): string[] {
  const { status, message } = error?.upstream ?? {};
  if (!message) return [];
  return [`  Upstream${status === undefined ? '' : ` (HTTP ${status})`}: ${cut(oneLine(saidIn(message)), 300)}`];
}

const retryText = (job: Job, program: string): string[] =>
  job.error?.retryable ? [`  It can be run again: ${program} retry ${job.id}`] : [];

/** A whole job on a page. */
export function jobText(job: Job & { tenant?: string }, paint: Paint, { now, program }: Shown): string {
  const state = [paintStatus(paint, job.status), job.stage, job.status === 'running' ? `${job.progress} %` : null];
  const parts = [
    `${paint('bold', job.id)}  ${job.type}  ${state.filter(Boolean).join(', ')}${job.late_result ? ', late result' : ''}`,
    facts(
      [
        ['tenant', job.tenant],
        ['waits', waitingText(job.waiting, now)],
        ['model', oneLine(job.model)],
        ['input', inputText(job)],
        ['batch', job.batch_id && `${job.batch_id}${job.custom_id ? `, ${job.custom_id}` : ''}`],
        ['metadata', pairsText(job.metadata)],
        ['priority', job.priority === 'normal' ? null : job.priority],
        ['created', `${job.created_at} (${ago(job.created_at, now)})`],
        ['started', job.started_at && `${job.started_at} (after ${between(job.created_at, job.started_at, now)})`],
        ['finished', job.finished_at && `${job.finished_at} (after ${between(job.created_at, job.finished_at, now)})`],
        ['expires', job.finished_at === null ? job.expires_at : null],
        ['run', job.run === 1 ? null : job.run],
        ['cost', costText(job.cost)],
        ['task', job.upstream && `${job.upstream.task_id} at ${job.upstream.base}, ${job.upstream.polls} polls`],
        ['webhook', job.webhook.url && `${job.webhook.state}, ${job.webhook.url}`],
      ],
      paint,
    ),
    job.error === null
      ? ''
      : [paint('red', `${job.error.code}: ${oneLine(job.error.message)}`), ...upstreamText(job), ...retryText(job, program)].join(
          '\n',
        ),
    imagesText(job, paint),
    printable(textOf(job) ?? ''),
    chatLinkOf(job),
    attemptsText(job, paint, now),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

const pairsText = (pairs: Readonly<Record<string, string>>): string =>
  Object.entries(pairs)
    .map(([name, value]) => `${oneLine(name)}=${oneLine(value)}`)
    .join(' ');

function inputText(job: Job): string {
  if (job.input === null) return '(large; it is in the answer of GET /v1/jobs/{id})';
  const input = job.input as { prompt?: string; messages?: { content: unknown }[] };
  const last = input.messages?.at(-1)?.content;
  const text = input.prompt ?? (typeof last === 'string' ? last : JSON.stringify(last ?? ''));
  return cut(oneLine(text), 100);
}

function imagesText(job: Job, paint: Paint): string {
  return imagesOf(job)
    .map(({ index, content_type, width, height, bytes: size, url }) =>
      [`image ${index}  ${content_type}  ${width ?? '?'}×${height ?? '?'}  ${bytes(size)}`, paint('dim', url)].join('\n'),
    )
    .concat(lostOf(job).map(({ index, reason }) => paint('yellow', `image ${index}  lost: ${oneLine(reason)}`)))
    .join('\n');
}

type Attempt = Job['attempts'][number];

const FINE: ReadonlySet<string> = new Set(['accepted', 'succeeded']);

/** Only worth a look when something went wrong. */
function attemptsText(job: Job, paint: Paint, now: number): string {
  if (job.attempts.every(({ outcome }) => FINE.has(outcome))) return '';
  const columns: Column<Attempt>[] = [
    { head: 'RUN', cell: ({ run }) => run, align: 'right' },
    { head: 'TRY', cell: ({ number }) => number, align: 'right' },
    { head: 'STAGE', cell: ({ stage }) => stage },
    { head: 'OUTCOME', cell: ({ outcome }) => outcome },
    { head: 'ERROR', cell: ({ error_code }) => error_code },
    { head: 'HTTP', cell: ({ upstream_status }) => upstream_status },
    { head: 'AT', cell: ({ started_at }) => started_at },
    { head: 'TOOK', cell: ({ started_at, ended_at }) => (ended_at ? between(started_at, ended_at, now) : null), align: 'right' },
  ];
  return table(columns, job.attempts, { paint });
}

/** The columns of a list of jobs. */
export const jobColumns = (now: number): Column<Job>[] => [
  { head: 'JOB', cell: ({ id }) => id },
  { head: 'TYPE', cell: ({ type }) => type },
  { head: 'STATUS', cell: statusText, style: (paint, text, { status }) => paintStatus(paint, status, text) },
  { head: 'MODEL', cell: ({ model }) => model, shrinks: true },
  { head: 'CREATED', cell: ({ created_at }) => ago(created_at, now), align: 'right' },
  { head: 'TOOK', cell: (job) => tookText(job), align: 'right' },
  { head: 'INPUT', cell: (job) => cut(inputText(job), 40), shrinks: true },
];

const statusText = ({ status, stage, error, progress }: Job): string => {
  if (error) return `${status} ${error.code}`;
  return status === 'running' ? `${stage} ${progress} %` : status;
};

const tookText = ({ created_at, finished_at }: Job): string | null =>
  created_at && finished_at ? duration(Date.parse(finished_at) - Date.parse(created_at)) : null;
