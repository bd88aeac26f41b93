import { ask, query } from './api.js';
import { h } from './dom.js';
import { count } from './format.js';
import { clock, field, jobLink, none, select, since, table, title } from './parts.js';

/** @import { Page, QueueEntry } from './answers.d.ts' */
/** @import { View } from './main.js' */

const EVERY_MS = 3000;

/** What is said of each state. */
const STATES = /** @type {const} */ ({
  waiting: 'Waiting for a free worker, the next one first',
  active: 'In the hands of a worker',
  delayed: 'Waiting for a time of their own, the next one first',
  failed: 'Failed entries of the last week, the newest first',
});

/** @typedef {keyof typeof STATES} State */

/** @param {string} text @returns {text is State} */
const isState = (text) => Object.hasOwn(STATES, text);

/** The entries of one queue, to look at. @param {string} name @param {URLSearchParams} asked @returns {View} */
export function queueView(name, asked) {
  const given = asked.get('state') ?? '';
  const state = isState(given) ? given : 'waiting';
  const cursor = asked.get('cursor') ?? '';
  const path = `/queues/${encodeURIComponent(name)}`;
  return {
    title: `Queue ${name}`,
    everyMs: () => EVERY_MS,
    load: async (signal) => {
      /** @type {Page<QueueEntry>} */
      const { data, next_cursor } = await ask(`${path}/entries${query({ state, cursor, limit: '50' })}`, { signal });
      return [
        title(`Queue ${name}`, h('p', { class: 'hint' }, 'Entries hold ids: the job says the rest.')),
        stateForm(state),
        table(
          STATES[state],
          [
            { head: 'Entry', wide: true },
            { head: 'State' },
            { head: 'Attempts', num: true },
            { head: 'Added', num: true },
            { head: 'Due' },
            { head: 'Data', wide: true },
            { head: 'Failure', wide: true },
          ],
          data.map((entry) => ({
            key: entry.id,
            cells: [
              h('span', { class: 'id' }, entry.id),
              entry.state,
              count(entry.attempts),
              since(entry.added_at),
              entry.due_at === null ? none() : clock(entry.due_at),
              dataOf(entry),
              entry.failure ?? none(),
            ],
          })),
          `No entry of this queue is ${state}.`,
        ),
        next_cursor === null
          ? null
          : h(
              'p',
              { class: 'more', 'data-key': 'more' },
              h('a', { href: `#${path}${query({ state, cursor: next_cursor })}` }, 'Further entries'),
            ),
      ];
    },
    actions: {
      filter: (_, form) => {
        const data = new FormData(/** @type {HTMLFormElement} */ (form));
        location.hash = `#${path}${query({ state: String(data.get('state')) })}`;
      },
    },
  };
}

/** @param {QueueEntry} entry */
function dataOf({ name, data: { job_id, ...rest } }) {
  const others = Object.entries(rest).map(([field, value]) => `${field} ${value}`);
  if (job_id === undefined && others.length === 0) return name;
  return [
    job_id === undefined ? null : jobLink(job_id),
    h('span', { class: job_id === undefined ? 'id' : 'id hint block' }, others.join(', ')),
  ];
}

/** @param {State} state */
const stateForm = (state) =>
  h(
    'form',
    { class: 'filter card', 'data-act': 'filter', 'data-key': 'filter', role: 'search', 'aria-label': 'Which entries' },
    field(
      'State',
      select(
        'state',
        state,
        Object.keys(STATES).map((each) => /** @type {const} */ ([each, each])),
      ),
    ),
    h('button', { class: 'primary' }, 'Show'),
  );
