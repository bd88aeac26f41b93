import { h, svg } from './dom.js';
import { ago, words } from './format.js';

/** @import { Child } from './dom.js' */

const CLOCK = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const TIME_OF_DAY = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** A time with seconds, and the date when it is not of today. @param {string} rfc3339 */
export function clock(rfc3339) {
  const at = new Date(rfc3339);
  const today = at.toDateString() === new Date().toDateString();
  return h('time', { datetime: rfc3339, title: rfc3339 }, (today ? TIME_OF_DAY : CLOCK).format(at));
}

/** How long ago. @param {string | null} rfc3339 */
export const since = (rfc3339) =>
  rfc3339 === null
    ? none()
    : h('time', { datetime: rfc3339, title: CLOCK.format(new Date(rfc3339)), class: 'num' }, ago(rfc3339, Date.now()));

export const none = () => h('span', { class: 'none' }, '–');

/** The colour that a word of the API has; others are grey. @type {Readonly<Record<string, string>>} */
const TONES = {
  succeeded: 'ok',
  delivered: 'ok',
  done: 'ok',
  completed: 'ok',
  accepted: 'ok',
  failed: 'bad',
  refused: 'warn',
  crashed: 'bad',
  skipped: 'warn',
  unknown: 'warn',
  expired: 'warn',
  begun: 'warn',
  retry: 'warn',
  cut: 'warn',
  canceling: 'warn',
  paused: 'warn',
  half: 'warn',
  aborted: 'warn',
  aborting: 'warn',
  running: 'live',
  generating: 'live',
  storing: 'live',
  submitting: 'live',
  pending: 'live',
};

/** @param {string} word @param {string} [tone] */
export const badge = (word, tone) => h('span', { class: `badge ${tone ?? TONES[word] ?? ''}` }, words(word));

/** @param {string} id */
export const jobLink = (id) => h('a', { href: `#/jobs/${encodeURIComponent(id)}`, class: 'id' }, id);

/**
 * A table that becomes a list of cards on narrow screens. The roles stand there because a `display` other than a table's
 * takes them away in some browsers.
 * @param {string} caption
 * @param {readonly { head: string, num?: boolean, wide?: boolean, hide?: boolean }[]} columns
 * @param {readonly { key: string, cells: readonly Child[] }[]} rows
 * @param {string} [empty] what stands there without rows
 */
export function table(caption, columns, rows, empty = 'None.') {
  const kind = (/** @type {number} */ i) => (columns[i]?.num ? 'num' : columns[i]?.wide ? 'wide' : null);
  return h(
    'div',
    { class: 'table' },
    h(
      'table',
      { role: 'table' },
      h('caption', {}, caption),
      h(
        'thead',
        { role: 'rowgroup' },
        h(
          'tr',
          { role: 'row' },
          columns.map(({ head, hide }, i) =>
            h('th', { scope: 'col', role: 'columnheader', class: kind(i) }, hide ? h('span', { class: 'unseen' }, head) : head),
          ),
        ),
      ),
      h(
        'tbody',
        { role: 'rowgroup' },
        rows.length === 0
          ? h('tr', { role: 'row', 'data-key': '' }, h('td', { role: 'cell', colspan: columns.length, class: 'empty' }, empty))
          : rows.map(({ key, cells }) =>
              h(
                'tr',
                { role: 'row', 'data-key': key },
                cells.map((cell, i) =>
                  i === 0
                    ? h('th', { scope: 'row', role: 'rowheader', class: kind(i), 'data-label': columns[i]?.head }, cell)
                    : h('td', { role: 'cell', class: kind(i), 'data-label': columns[i]?.hide ? '' : columns[i]?.head }, cell),
                ),
              ),
            ),
      ),
    ),
  );
}

/** Names and what they stand for. @param {readonly (readonly [string, Child])[]} pairs */
export const facts = (pairs) =>
  h(
    'dl',
    { class: 'facts' },
    pairs.map(([name, value]) => h('div', { 'data-key': name }, h('dt', {}, name), h('dd', {}, value))),
  );

/** @param {string} title @param {readonly Child[]} children */
export const section = (title, ...children) => {
  const id = `h-${title.toLowerCase().replace(/[^a-z]+/g, '-')}`;
  return h('section', { 'aria-labelledby': id, 'data-key': id }, h('h2', { id }, title), children);
};

/** A title with what stands beside it. @param {Child} text @param {readonly Child[]} beside */
export const title = (text, ...beside) =>
  h('div', { class: 'title', 'data-key': 'title' }, h('h1', { id: 'title', tabindex: -1 }, text), beside);

/** A button that the view's `actions` answer to. @param {string} act @param {string} arg @param {Child} text @param {string} [kind] @param {string} [label] */
export const button = (act, arg, text, kind = '', label = '') =>
  h('button', { type: 'button', 'data-act': act, 'data-arg': arg, class: kind, 'aria-label': label || null }, text);

/** @param {'ok' | 'warn' | 'bad'} tone @param {readonly Child[]} children */
export const notice = (tone, ...children) => h('div', { class: `notice ${tone}` }, sign(tone), h('div', {}, children));

/** @param {'ok' | 'warn' | 'bad'} tone */
const sign = (tone) =>
  svg(
    'svg',
    { viewBox: '0 0 20 20', width: 20, height: 20, 'aria-hidden': 'true' },
    tone === 'ok'
      ? svg('path', { d: 'M4 10.5l4 4 8-9' })
      : [svg('circle', { cx: 10, cy: 10, r: 8 }), svg('path', { d: 'M10 5.8v5M10 14v.2' })],
  );

/** A named field of a form. @param {string} label @param {HTMLElement} input @param {string} [hint] */
export function field(label, input, hint) {
  const id = `f-${input.getAttribute('name')}`;
  input.id = id;
  if (hint) input.setAttribute('aria-describedby', `${id}-hint`);
  return h(
    'div',
    { class: 'field' },
    h('label', { for: id }, label),
    input,
    hint ? h('p', { class: 'hint', id: `${id}-hint` }, hint) : null,
  );
}

/** @param {string} name @param {string} value @param {readonly (readonly [string, string])[]} options */
export const select = (name, value, options) =>
  h(
    'select',
    { name },
    options.map(([is, text]) => h('option', { value: is, selected: is === value }, text)),
  );

/** Which tenant a list is of. @param {string} value */
export const tenantField = (value) =>
  field(
    'Tenant',
    h('input', {
      name: 'tenant',
      value,
      pattern: '[a-z0-9\\-]{1,32}',
      autocomplete: 'off',
      spellcheck: 'false',
      placeholder: 'all',
    }),
  );
