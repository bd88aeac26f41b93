import { ask } from './api.js';
import { h } from './dom.js';
import { badge, clock, none, since, table, title } from './parts.js';

/** @import { Key, Page } from './answers.d.ts' */
/** @import { View } from './main.js' */

/** API keys that exist. They are made and revoked with the API. @returns {View} */
export function keysView() {
  return {
    title: 'Keys',
    everyMs: () => null,
    load: async (signal) => {
      /** @type {Page<Key>} */
      const { data, next_cursor } = await ask('/keys?limit=100', { signal });
      return [
        title('Keys', next_cursor === null ? null : h('p', { class: 'hint' }, 'The newest 100.')),
        table(
          'API keys of tenants and operators; ADMIN_API_KEY is set by configuration and not listed',
          [
            { head: 'Key' },
            { head: 'Tenant' },
            { head: 'Name' },
            { head: 'Scopes', wide: true },
            { head: 'Made', num: true },
            { head: 'Used', num: true },
            { head: 'Expires', num: true },
          ],
          data.map((key) => ({
            key: key.id,
            cells: [
              h('span', { class: 'id' }, key.id),
              key.tenant,
              key.name,
              h(
                'span',
                { class: 'badges' },
                key.scopes.map((scope) => [badge(scope, scope.startsWith('admin:') ? 'warn' : 'grey'), ' ']),
              ),
              since(key.created_at),
              key.last_used_at === null ? none() : since(key.last_used_at),
              key.expires_at === null ? none() : expiry(key.expires_at),
            ],
          })),
          'No keys.',
        ),
      ];
    },
  };
}

/** @param {string} at */
const expiry = (at) => (Date.parse(at) < Date.now() ? badge('expired') : clock(at));
