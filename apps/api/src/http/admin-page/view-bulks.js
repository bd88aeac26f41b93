import { ask, query } from './api.js';
import { h } from './dom.js';
import { count } from './format.js';
import { badge, since, table, title } from './parts.js';

/** @import { BulkAction, Page } from './answers.d.ts' */
/** @import { View } from './main.js' */

const EVERY_MS = 5000;

/** What was done to many jobs at once, the newest first. @param {URLSearchParams} asked @returns {View} */
export function bulksView(asked) {
  const cursor = asked.get('cursor') ?? '';
  return {
    title: 'Bulk actions',
    everyMs: () => (cursor === '' ? EVERY_MS : null),
    load: async (signal) => {
      /** @type {Page<BulkAction>} */
      const { data, next_cursor } = await ask(`/bulk-actions${query({ cursor, limit: '25' })}`, { signal });
      return [
        title('Bulk actions'),
        table(
          'Bulk actions of the last 30 days, the newest first',
          [
            { head: 'Bulk action' },
            { head: 'Action' },
            { head: 'State' },
            { head: 'Jobs', num: true },
            { head: 'Done', num: true },
            { head: 'Left out', num: true },
            { head: 'Failed', num: true },
            { head: 'Begun', num: true },
            { head: 'Reason', wide: true },
          ],
          data.map((bulk) => ({
            key: bulk.id,
            cells: [
              h('a', { href: `#/bulk-actions/${encodeURIComponent(bulk.id)}`, class: 'id' }, bulk.id),
              bulk.action,
              badge(bulk.status),
              count(bulk.counts.matched),
              count(bulk.counts.done),
              count(bulk.counts.skipped),
              count(bulk.counts.failed),
              since(bulk.created_at),
              bulk.reason,
            ],
          })),
          'None yet. A group of failures can be requeued as a whole.',
        ),
        next_cursor === null
          ? null
          : h(
              'p',
              { class: 'more', 'data-key': 'more' },
              h('a', { href: `#/bulk-actions${query({ cursor: next_cursor })}` }, 'Older ones'),
            ),
      ];
    },
  };
}
