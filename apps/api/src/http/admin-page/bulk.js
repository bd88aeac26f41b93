import { h } from './dom.js';
import { count, words } from './format.js';

/**
 * What is done to jobs of a bulk action, or why they are left alone, as sentences after "jobs that".
 * @type {Readonly<Record<string, readonly [name: string, hint: string]>>}
 */
const MEANINGS = {
  resume: ['Resume', 'go on with what was paid for'],
  resubmit: ['Resubmit', 'are submitted, and paid, anew'],
  cancel: ['Cancel', ''],
  redeliver: ['Redeliver', 'have their webhook sent again'],
  submit_unknown: ['Left out', 'may have been paid for: the outcome of their call is unknown'],
  not_failed: ['Left out', 'are not failed any more'],
  ended_since: ['Left out', 'have ended since'],
  moved_since: ['Left out', 'fitted when they were counted and then no more: somebody else changed them'],
  tried_since: ['Left out', 'had an attempt since'],
  live: ['Left out', 'run already'],
  succeeded: ['Left out', 'have succeeded'],
  ended: ['Left out', 'have ended'],
  missing: ['Left out', 'are gone'],
  erasing: ['Left out', 'are being deleted'],
  nothing_to_resume: ['Left out', 'have nothing to go on with'],
  no_webhook: ['Left out', 'have no webhook'],
};

/** @param {Readonly<Record<string, number>>} counts */
export const total = (counts) => Object.values(counts).reduce((sum, n) => sum + n, 0);

/** Counts with what they mean. @param {Readonly<Record<string, number>>} counts @param {string} [otherwise] */
export const meanings = (counts, otherwise = 'Left out') =>
  Object.entries(counts).map(([name, n]) => {
    const [label, hint] = MEANINGS[name] ?? [otherwise, words(name)];
    return h(
      'div',
      { 'data-key': name },
      h('dt', {}, label, hint === '' ? null : h('span', { class: 'hint' }, ` ${hint}`)),
      h('dd', { class: 'num' }, count(n)),
    );
  });
