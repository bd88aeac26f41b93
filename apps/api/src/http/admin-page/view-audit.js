import { ask, query } from './api.js';
import { h } from './dom.js';
import { badge, clock, field, jobLink, none, table, title } from './parts.js';

/** @import { AuditLine, Page } from './answers.d.ts' */
/** @import { View } from './main.js' */

/** What operators did, the newest first. @param {URLSearchParams} asked @returns {View} */
export function auditView(asked) {
  const filter = { who: asked.get('who') ?? '', action: asked.get('action') ?? '', target: asked.get('target') ?? '' };
  const cursor = asked.get('cursor') ?? '';
  return {
    title: 'Audit log',
    everyMs: () => null,
    load: async (signal) => {
      /** @type {Page<AuditLine>} */
      const { data, next_cursor } = await ask(`/audit${query({ ...filter, cursor, limit: '50' })}`, { signal });
      return [
        title('Audit log'),
        filterForm(filter),
        table(
          'What operators changed, the newest first',
          [
            { head: 'When' },
            { head: 'Who', wide: true },
            { head: 'Action' },
            { head: 'Target', wide: true },
            { head: 'Outcome', wide: true },
            { head: 'Reason', wide: true },
          ],
          data.map((line) => ({
            key: line.id,
            cells: [
              clock(line.at),
              [h('span', { class: 'who' }, line.key.name), h('span', { class: 'id hint block' }, line.key.id)],
              h('code', {}, line.action),
              targetOf(line.target),
              [badge(line.outcome), line.detail === null ? null : h('span', { class: 'hint block' }, line.detail)],
              line.reason === '' ? none() : line.reason,
            ],
          })),
          'Nothing was changed, as far as the filter reaches.',
        ),
        next_cursor === null
          ? null
          : h(
              'p',
              { class: 'more', 'data-key': 'more' },
              h('a', { href: `#/audit${query({ ...filter, cursor: next_cursor })}` }, 'Older lines'),
            ),
      ];
    },
    actions: {
      filter: (_, form) => {
        const data = new FormData(/** @type {HTMLFormElement} */ (form));
        location.hash = `#/audit${query(/** @type {Record<string, string>} */ (Object.fromEntries(data)))}`;
      },
    },
  };
}

/** @param {string} target */
function targetOf(target) {
  if (/^job_/.test(target)) return jobLink(target);
  if (/^bulk_/.test(target)) return h('a', { href: `#/bulk-actions/${encodeURIComponent(target)}`, class: 'id' }, target);
  return h('span', { class: 'id' }, target);
}

/** @param {{ who: string, action: string, target: string }} filter */
const filterForm = (filter) =>
  h(
    'form',
    { class: 'filter card', 'data-act': 'filter', 'data-key': 'filter', role: 'search', 'aria-label': 'Which lines' },
    field('Who', h('input', { name: 'who', value: filter.who, autocomplete: 'off', placeholder: 'all' })),
    field('Action', h('input', { name: 'action', value: filter.action, autocomplete: 'off', placeholder: 'all' })),
    field(
      'Target',
      h('input', {
        name: 'target',
        value: filter.target,
        class: 'wide',
        autocomplete: 'off',
        spellcheck: 'false',
        placeholder: 'all',
      }),
    ),
    h('button', { class: 'primary' }, 'Show'),
  );
