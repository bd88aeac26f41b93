import { ApiError, ask, key } from './api.js';
import { closeDialogs } from './dialog.js';
import { h, morph, nodesOf } from './dom.js';
import { clock, notice } from './parts.js';
import { startRefresh } from './refresh.js';
import { auditView } from './view-audit.js';
import { bulkView } from './view-bulk.js';
import { bulksView } from './view-bulks.js';
import { failuresView } from './view-failures.js';
import { jobView } from './view-job.js';
import { jobsView } from './view-jobs.js';
import { keysView } from './view-keys.js';
import { overviewView } from './view-overview.js';
import { queueView } from './view-queue.js';

/** @import { Child } from './dom.js' */

/**
 * One view of the page. `load` answers what is to be seen; `actions` are called by buttons and forms with `data-act`.
 * @typedef {object} View
 * @property {string} title
 * @property {() => number | null} everyMs when to load again after an answer; null: not by itself
 * @property {(signal: AbortSignal) => Promise<Child[]>} load
 * @property {Record<string, (arg: string, from: HTMLElement) => void>} [actions]
 */

/**
 * @typedef {object} Tools
 * @property {() => void} refresh loads the view again
 * @property {(text: string) => void} say says something to who cannot see it
 */

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const [top, main, freshness, spoken] = [byId('top'), byId('main'), byId('freshness'), byId('say')];

/** @type {View | undefined} */
let view;
/** @type {ReturnType<typeof startRefresh> | undefined} */
let refreshing;
/** @type {string | undefined} */
let freshAt;

/** @type {Tools} */
const tools = { refresh: () => refreshing?.now(), say: (text) => spoken.replaceChildren(text) };

/** @param {readonly string[]} path @param {URLSearchParams} query @returns {View} */
function viewOf([name, id], query) {
  if (name === 'failures') return failuresView(query, tools);
  if (name === 'jobs' && id !== undefined) return jobView(id, tools);
  if (name === 'jobs') return jobsView(query);
  if (name === 'queues' && id !== undefined) return queueView(id, query);
  if (name === 'bulk-actions' && id !== undefined) return bulkView(id, tools);
  if (name === 'bulk-actions') return bulksView(query);
  if (name === 'audit') return auditView(query);
  if (name === 'keys') return keysView();
  return overviewView(tools);
}

/** Shows the view that the address names. @param {{ focus: boolean }} o */
function open({ focus }) {
  refreshing?.stop();
  closeDialogs();
  const [path = '', search = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const parts = path.split('/').map(decode);
  const opened = viewOf(parts, new URLSearchParams(search));
  view = opened;
  freshAt = undefined;
  document.title = `${opened.title} · grsai-jobs`;
  for (const link of document.querySelectorAll('#nav a')) {
    const here = link.getAttribute('href') === `#/${parts[0] || 'overview'}`;
    link.toggleAttribute('aria-current', here);
    if (here) link.setAttribute('aria-current', 'page');
  }
  top.hidden = false;
  main.setAttribute('aria-busy', 'true');
  let first = true;
  refreshing = startRefresh({
    everyMs: opened.everyMs,
    load: async (signal) => {
      const nodes = nodesOf(await opened.load(signal));
      if (signal.aborted) return;
      if (first) main.replaceChildren(...nodes);
      else morph(main, nodes);
      if (first && focus) document.getElementById('title')?.focus({ preventScroll: true });
      if (first) scrollTo({ top: 0, behavior: 'instant' });
      first = false;
    },
    onFresh,
    onTrouble: (error) => onTrouble(error, first),
  });
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function onFresh() {
  const wasAway = document.body.classList.contains('away');
  freshAt = new Date().toISOString();
  main.removeAttribute('aria-busy');
  document.body.classList.remove('away');
  freshness.replaceChildren(view?.everyMs() === null ? 'Loaded ' : 'Live ', clock(freshAt));
  if (wasAway) tools.say('The API answers again.');
}

/** @param {unknown} error @param {boolean} nothingShown */
function onTrouble(error, nothingShown) {
  main.removeAttribute('aria-busy');
  if (error instanceof ApiError && error.status === 401) return signOut(error.message);
  const text = error instanceof Error ? error.message : String(error);
  if (nothingShown) main.replaceChildren(h('h1', { id: 'title', tabindex: -1 }, view?.title), notice('bad', text));
  else tellWhyStale(text);
  if (nothingShown && error instanceof ApiError && error.status > 0 && error.status < 500) return;
  if (!document.body.classList.contains('away')) tools.say(`${text} What is shown is not fresh.`);
  document.body.classList.add('away');
  freshness.replaceChildren(...nodesOf(freshAt === undefined ? ['No answer'] : ['Stale, of ', clock(freshAt)]));
}

/** Above what is shown, until it is fresh again. @param {string} text */
function tellWhyStale(text) {
  const line = notice('warn', `${text} What is shown is of `, freshAt === undefined ? 'before' : clock(freshAt), '.');
  line.dataset['key'] = 'stale';
  document.querySelector('#main > [data-key="stale"]')?.remove();
  main.prepend(line);
}

/** @param {string} [why] */
function signOut(why) {
  refreshing?.stop();
  refreshing = undefined;
  key.forget();
  closeDialogs();
  document.body.classList.remove('away');
  document.title = 'Sign in · grsai-jobs';
  top.hidden = true;
  main.removeAttribute('aria-busy');
  showForm(why);
}

/** @param {string} [why] */
function showForm(why = '') {
  const problem = h('p', { class: 'problem', role: 'alert' }, why);
  const input = /** @type {HTMLInputElement} */ (
    h('input', {
      id: 'f-key',
      name: 'key',
      type: 'password',
      required: true,
      pattern: '\\s*[!-~]+\\s*',
      title: 'A key has no spaces.',
      autocomplete: 'off',
      spellcheck: 'false',
      'aria-describedby': 'f-key-hint',
    })
  );
  const send = /** @type {HTMLButtonElement} */ (h('button', { class: 'primary' }, 'Sign in'));
  const form = h(
    'form',
    { class: 'card sign-in' },
    h('img', { src: '/admin/assets/icon.svg', width: 40, height: 40, alt: '' }),
    h('h1', {}, 'grsai-jobs'),
    h('p', { class: 'hint', id: 'f-key-hint' }, 'For operators. A key with the scope admin:read; it is kept in this tab only.'),
    h('div', { class: 'field' }, h('label', { for: 'f-key' }, 'Admin key'), input),
    problem,
    send,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    send.disabled = true;
    problem.textContent = '';
    const typed = input.value.trim();
    ask('/overview', { key: typed })
      .then(() => {
        key.set(typed);
        open({ focus: true });
      })
      .catch((/** @type {Error} */ error) => {
        problem.textContent = error.message;
        send.disabled = false;
        input.select();
      });
  });
  main.replaceChildren(form);
  input.focus();
}

/** @param {Event} event */
function act(event) {
  const from = /** @type {Element} */ (event.target).closest('[data-act]');
  if (!(from instanceof HTMLElement) || (event.type === 'click') === from.matches('form')) return;
  event.preventDefault();
  view?.actions?.[from.dataset['act'] ?? '']?.(from.dataset['arg'] ?? '', from);
}

main.addEventListener('click', act);
main.addEventListener('submit', act);
byId('sign-out').addEventListener('click', () => signOut());
byId('skip').addEventListener('click', (event) => {
  event.preventDefault(); // the address names the view
  main.focus();
});
addEventListener('hashchange', () => {
  if (key.get() !== null) open({ focus: true });
});
if (key.get() === null) showForm();
else open({ focus: false });
