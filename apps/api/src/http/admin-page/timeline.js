import { h } from './dom.js';
import { duration, words } from './format.js';
import { badge, clock } from './parts.js';

/** @import { Child } from './dom.js' */
/** @import { Happening, JobDetail } from './answers.d.ts' */

/**
 * What there is to say of one event.
 * @typedef {object} Line
 * @property {string} what
 * @property {string} [word] a badge
 * @property {string} [tone] of the dot and the badge
 * @property {Child[]} more
 */

/** @param {unknown} value */
const text = (value) => (value === null || value === undefined || value === '' ? '' : String(value));

/** @param {readonly string[]} parts */
const dotted = (parts) => parts.filter((each) => each !== '').join(' · ');

/** @type {Readonly<Record<string, string>>} */
const OUTCOME_TONES = { succeeded: 'ok', accepted: 'ok', failed: 'bad', unknown: 'warn', retry: 'warn', cut: 'warn' };

/** @type {Readonly<Record<string, (happening: Happening, job: JobDetail) => Line>>} */
const LINES = {
  accepted: (_, job) => ({ what: 'Accepted', more: [`from ${job.tenant}`] }),
  started: () => ({ what: 'First taken up by a worker', more: [] }),
  task: ({ detail }) => ({
    what: 'Task at upstream',
    more: [text(detail['base']), ' ', h('span', { class: 'id' }, text(detail['task_id']))],
  }),
  attempt: ({ at, detail }) => ({
    what: `${sentence(text(detail['stage']))} ${text(detail['number'])}`,
    word: text(detail['outcome']),
    tone: OUTCOME_TONES[text(detail['outcome'])] ?? '',
    more: [
      dotted([
        text(detail['error_code']),
        detail['upstream_status'] === undefined ? '' : `HTTP ${text(detail['upstream_status'])}`,
        text(detail['base']),
        typeof detail['ended_at'] === 'number' ? `took ${duration(detail['ended_at'] - Date.parse(at))}` : '',
      ]),
    ],
  }),
  run_ended: ({ run, detail }) => ({
    what: `Run ${run} ended`,
    word: text(detail['status']),
    tone: detail['status'] === 'succeeded' ? 'ok' : detail['status'] === 'failed' ? 'bad' : 'warn',
    more: [text(detail['error_code'])],
  }),
  delivery_pending: ({ detail }) => ({ what: `Webhook pending: ${text(detail['type'])}`, more: [] }),
  webhook_attempt: ({ detail }) => ({
    what: `Webhook attempt ${text(detail['number'])}`,
    word: detail['status'] === undefined ? (detail['ok'] === true ? 'delivered' : 'no answer') : `HTTP ${text(detail['status'])}`,
    tone: detail['ok'] === true ? 'ok' : 'bad',
    more: [
      dotted([
        detail['ok'] === true ? '' : `ended in ${text(detail['phase'])}`,
        text(detail['error']),
        typeof detail['duration_ms'] === 'number' ? `took ${duration(detail['duration_ms'])}` : '',
      ]),
    ],
  }),
};

/** @param {string} word */
const sentence = (word) => word.slice(0, 1).toUpperCase() + words(word).slice(1);

/** What happened to a job, in its order, over all runs. @param {JobDetail} job */
export const timelineOf = (job) =>
  h(
    'ol',
    { class: 'timeline' },
    job.timeline.map((happening, i) => lineOf(happening, i, job)),
  );

/** @param {Happening} happening @param {number} i @param {JobDetail} job */
function lineOf(happening, i, job) {
  const line = LINES[happening.event]?.(happening, job) ?? { what: sentence(happening.event), more: [] };
  const before = job.timeline[i - 1];
  const gap = before === undefined ? '' : `+${duration(Date.parse(happening.at) - Date.parse(before.at))}`;
  return h(
    'li',
    { class: line.tone ?? '', 'data-key': `${happening.event} ${happening.at} ${i}` },
    h('span', { class: 'when' }, clock(happening.at), h('span', { class: 'gap' }, gap)),
    h(
      'div',
      {},
      h(
        'p',
        {},
        h('b', {}, line.what),
        line.word ? [' ', badge(line.word, line.tone)] : null,
        job.run > 1 ? h('span', { class: 'run' }, ` run ${happening.run}`) : null,
      ),
      line.more.every((each) => each === '') ? null : h('p', { class: 'hint' }, line.more),
    ),
  );
}
