import { ask } from './api.js';
import { meanings } from './bulk.js';
import { openDialog, reasonField, textIn } from './dialog.js';
import { h } from './dom.js';
import { age, count, rate } from './format.js';
import { badge, button, clock, facts, none, section, title } from './parts.js';

/** @import { BulkAction } from './answers.d.ts' */
/** @import { Tools, View } from './main.js' */

const EVERY_MS = 1500;

/** A bulk action while it goes on, and what came of it. @param {string} id @param {Tools} tools @returns {View} */
export function bulkView(id, tools) {
  /** @type {BulkAction | undefined} */
  let bulk;
  const path = `/bulk-actions/${encodeURIComponent(id)}`;

  /** @param {'abort' | 'resume'} turn @param {string} text */
  const turn = (turn, text) =>
    openDialog({
      title: turn === 'abort' ? 'Abort this bulk action' : 'Resume this bulk action',
      body: [h('p', {}, text), reasonField()],
      confirm: turn === 'abort' ? 'Abort' : 'Resume',
      danger: turn === 'abort',
      send: async (data) => {
        await ask(`${path}/${turn}`, { method: 'POST', body: { reason: textIn(data, 'reason') } });
        tools.say(turn === 'abort' ? 'The bulk action is aborted.' : 'The bulk action goes on.');
        tools.refresh();
      },
    });

  return {
    title: 'Bulk action',
    everyMs: () => (bulk?.status === 'running' ? EVERY_MS : null),
    load: async (signal) => {
      /** @type {BulkAction} */
      const known = await ask(path, { signal });
      if (bulk?.status === 'running' && known.status === 'completed') tools.say(`Completed: ${spoken(known)}.`);
      bulk = known;
      return pageOf(known);
    },
    actions: {
      abort: () => turn('abort', 'Jobs that were requeued go on. The others stay as they are, and it can be resumed.'),
      resume: () => turn('resume', 'It goes on where it was aborted; no job is acted on twice.'),
    },
  };
}

/** @param {BulkAction} bulk */
const spoken = ({ counts }) => `${count(counts.done)} of ${count(counts.matched)} done`;

/** @param {BulkAction} bulk */
const pageOf = (bulk) => [
  title(
    bulk.action === 'requeue' ? 'Requeue' : bulk.action === 'cancel' ? 'Cancel' : 'Redeliver',
    badge(bulk.counting ? 'counting' : bulk.status, bulk.counting ? 'live' : undefined),
    h('span', { class: 'id hint' }, bulk.id),
    h(
      'span',
      { class: 'changes' },
      bulk.status === 'running' ? button('abort', bulk.id, 'Abort…', 'danger') : null,
      bulk.status === 'aborted' ? button('resume', bulk.id, 'Resume…', 'primary') : null,
    ),
  ),
  progressOf(bulk),
  h(
    'div',
    { class: 'pair', 'data-key': 'pair' },
    section(
      'What came of it',
      h(
        'dl',
        { class: 'card counts' },
        h('div', { 'data-key': ' done' }, h('dt', {}, 'Done'), h('dd', { class: 'num' }, count(bulk.counts.done))),
        meanings(bulk.skipped),
        meanings(bulk.failed, 'Failed'),
      ),
    ),
    section(
      'Facts',
      facts([
        ['Reason', bulk.reason],
        ['By', bulk.key.name],
        ['Jobs per minute', `${count(bulk.rate_per_min)} at most, ${rate(bulk.observed_rate_per_min)} seen`],
        ['Unknown outcomes', bulk.include_unknown ? 'submitted anew' : 'left out'],
        ['Begun', clock(bulk.created_at)],
        ['Ended', bulk.finished_at === null ? none() : clock(bulk.finished_at)],
      ]),
    ),
  ),
];

/** @param {BulkAction} bulk */
function progressOf(bulk) {
  const { matched, done, skipped, failed } = bulk.counts;
  const behind = done + skipped + failed;
  const text = bulk.counting
    ? `${count(matched)} jobs so far`
    : `${count(behind)} of ${count(matched)} ${matched === 1 ? 'job' : 'jobs'}`;
  return h(
    'div',
    { class: 'card progress', 'data-key': 'progress' },
    h(
      'p',
      {},
      h('b', { class: 'num' }, text),
      bulk.eta_s === null ? null : h('span', { class: 'hint num' }, ` about ${age(bulk.eta_s)} left`),
    ),
    h('progress', {
      max: Math.max(1, matched),
      value: bulk.counting ? null : matched === 0 ? 1 : behind,
      'aria-label': 'Jobs that are behind it',
    }),
  );
}
