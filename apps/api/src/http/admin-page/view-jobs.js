import { ask, query } from './api.js';
import { STAGES, STATUSES } from './codes.js';
import { h } from './dom.js';
import { badge, field, jobLink, none, select, since, table, tenantField, title } from './parts.js';

/** @import { Job, Page } from './answers.d.ts' */
/** @import { View } from './main.js' */

const EVERY_MS = 10_000;
/** Jobs of all tenants, the newest first. @param {URLSearchParams} asked @returns {View} */
export function jobsView(asked) {
  const filter = {
    tenant: asked.get('tenant') ?? '',
    status: asked.get('status') ?? '',
    stage: asked.get('stage') ?? '',
    signature: asked.get('signature') ?? '',
    cursor: asked.get('cursor') ?? '',
  };
  return {
    title: 'Jobs',
    everyMs: () => (filter.cursor === '' ? EVERY_MS : null),
    load: async (signal) => {
      /** @type {Page<Job>} */
      const { data, next_cursor } = await ask(`/jobs${query({ ...filter, limit: '25' })}`, { signal });
      return [
        title(
          'Jobs',
          filter.signature === ''
            ? null
            : h(
                'p',
                { class: 'hint' },
                'Of one group of failures, by the time of the failure. ',
                h('a', { href: '#/jobs' }, 'Show all'),
              ),
        ),
        searchForm(filter),
        table(
          'Jobs of all tenants, the newest first',
          [
            { head: 'Job' },
            { head: 'Tenant' },
            { head: 'State' },
            { head: 'Model' },
            { head: 'Error', wide: true },
            { head: 'Accepted', num: true },
          ],
          data.map((job) => ({
            key: job.id,
            cells: [
              jobLink(job.id),
              job.tenant,
              badge(job.stage ?? job.status),
              job.model,
              job.error === null ? none() : h('code', {}, job.error.code),
              since(job.created_at),
            ],
          })),
          'No job fits.',
        ),
        next_cursor === null
          ? null
          : h(
              'p',
              { class: 'more', 'data-key': 'more' },
              h('a', { href: `#/jobs${query({ ...filter, cursor: next_cursor })}` }, 'Older jobs'),
            ),
      ];
    },
    actions: {
      search: (_, form) => {
        const data = new FormData(/** @type {HTMLFormElement} */ (form));
        const id = String(data.get('id') ?? '').trim();
        const rest = query({
          tenant: String(data.get('tenant') ?? ''),
          status: String(data.get('status') ?? ''),
          stage: String(data.get('stage') ?? ''),
          signature: filter.signature,
        });
        location.hash = id === '' ? `#/jobs${rest}` : `#/jobs/${encodeURIComponent(id)}`;
      },
    },
  };
}

/** @param {{ tenant: string, status: string, stage: string }} filter */
const searchForm = (filter) =>
  h(
    'form',
    { class: 'filter card', 'data-act': 'search', 'data-key': 'search', role: 'search', 'aria-label': 'Which jobs' },
    field('Job id', h('input', { name: 'id', class: 'wide', autocomplete: 'off', spellcheck: 'false', placeholder: 'job_…' })),
    tenantField(filter.tenant),
    field(
      'State',
      select('status', filter.status, [['', 'all'], ...STATUSES.map((each) => /** @type {const} */ ([each, each]))]),
    ),
    field('Stage', select('stage', filter.stage, [['', 'all'], ...STAGES.map((each) => /** @type {const} */ ([each, each]))])),
    h('button', { class: 'primary' }, 'Show'),
  );
