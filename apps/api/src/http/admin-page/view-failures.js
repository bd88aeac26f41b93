import { ask, query } from './api.js';
import { CODES } from './codes.js';
import { h } from './dom.js';
import { count } from './format.js';
import { badge, button, field, jobLink, select, since, tenantField, title } from './parts.js';
import { requeueGroup } from './requeue.js';

/** @import { FailureGroup, FailureList } from './answers.d.ts' */
/** @import { Tools, View } from './main.js' */

const EVERY_MS = 10_000;
const LIMIT = '50';

/** How far back, in hours. */
const SPANS = /** @type {const} */ ([
  ['', 'any time'],
  ['1', 'last hour'],
  ['24', 'last day'],
  ['168', 'last week'],
]);

/** Failed jobs by what they have in common. @param {URLSearchParams} asked @param {Tools} tools @returns {View} */
export function failuresView(asked, tools) {
  const filter = { tenant: asked.get('tenant') ?? '', code: asked.get('code') ?? '', type: asked.get('type') ?? '' };
  const hours = asked.get('hours') ?? '';
  /** @type {FailureGroup[]} */
  let groups = [];
  return {
    title: 'Failures',
    everyMs: () => EVERY_MS,
    load: async (signal) => {
      const span = hours === '' ? '' : new Date(Date.now() - Number(hours) * 3_600_000).toISOString();
      /** @type {FailureList} */
      const list = await ask(`/failures${query({ ...filter, since: span, limit: LIMIT })}`, { signal });
      groups = list.data;
      return [
        title('Failures', h('p', { class: 'hint' }, summaryOf(list))),
        filterForm(filter, hours),
        groups.length === 0
          ? h('p', { class: 'card empty', 'data-key': 'none' }, 'No failed job fits. Jobs that were run again count no more.')
          : h(
              'ul',
              { class: 'groups', 'data-key': 'groups', 'aria-label': 'Groups of failures, the largest first' },
              groups.map((group) => groupCard(group, filter.tenant)),
            ),
      ];
    },
    actions: {
      filter: (_, form) => {
        const data = new FormData(/** @type {HTMLFormElement} */ (form));
        location.hash = `#/failures${query(/** @type {Record<string, string>} */ (Object.fromEntries(data)))}`;
      },
      requeue: (id) => {
        const group = groups.find((each) => each.id === id);
        if (group) requeueGroup(group, { tenant: filter.tenant, type: filter.type }, hours !== '', tools);
      },
    },
  };
}

/** @param {FailureList} list */
const summaryOf = ({ jobs, groups, data, next_cursor }) =>
  [
    `${count(jobs)} failed ${jobs === 1 ? 'job' : 'jobs'} in ${count(groups)} ${groups === 1 ? 'group' : 'groups'}`,
    data.length < groups ? `the largest ${data.length} are shown` : '',
    next_cursor === null ? '' : 'older ones are not counted',
  ]
    .filter((each) => each !== '')
    .join(', ');

/** @param {{ tenant: string, code: string, type: string }} filter @param {string} hours */
const filterForm = (filter, hours) =>
  h(
    'form',
    { class: 'filter card', 'data-act': 'filter', 'data-key': 'filter', role: 'search', 'aria-label': 'Which failures' },
    tenantField(filter.tenant),
    field('Code', select('code', filter.code, [['', 'all'], ...CODES.map((code) => /** @type {const} */ ([code, code]))])),
    field(
      'Type',
      select('type', filter.type, [
        ['', 'both'],
        ['chat', 'chat'],
        ['image', 'image'],
      ]),
    ),
    field('Failed', select('hours', hours, SPANS)),
    h('button', { class: 'primary' }, 'Show'),
  );

/** @param {FailureGroup} group @param {string} tenant whose, when the list is of one */
const groupCard = (group, tenant) =>
  h(
    'li',
    { class: 'card group', 'data-key': group.id },
    h('p', { class: 'count' }, h('b', {}, count(group.count)), h('span', {}, group.count === 1 ? ' job' : ' jobs')),
    h(
      'div',
      { class: 'what' },
      h(
        'h2',
        {},
        h('code', {}, group.code),
        ' ',
        badge(group.stage, 'grey'),
        group.upstream_status === null ? null : [' ', badge(`HTTP ${group.upstream_status}`, 'grey')],
        group.retryable ? null : [' ', badge('not retryable', 'warn')],
      ),
      h('p', { class: 'message' }, group.message),
      h('p', { class: 'hint' }, 'first ', since(group.first), ' · last ', since(group.last)),
      h(
        'details',
        {},
        h('summary', {}, group.samples.length === 1 ? '1 sample' : `${group.samples.length} samples`),
        h(
          'ul',
          { class: 'samples' },
          group.samples.map((id) => h('li', { 'data-key': id }, jobLink(id))),
        ),
        h('p', {}, h('a', { href: `#/jobs${query({ signature: group.id, tenant })}` }, 'All jobs of this group')),
      ),
    ),
    h('p', { class: 'do' }, button('requeue', group.id, 'Requeue…', 'primary', `Requeue ${group.count} jobs with ${group.code}`)),
  );
