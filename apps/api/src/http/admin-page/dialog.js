import { h, nodesOf } from './dom.js';

/** @import { Child } from './dom.js' */

/** An `AbortError` is no news: the person went elsewhere. @param {unknown} error */
const textOf = (error) => (error instanceof Error ? error.message : String(error));

/**
 * Asks in a dialog. `send` gets what was filled in; what it throws stands in the dialog, and the dialog stays. Escape and
 * Cancel close it, and focus goes back to where it was.
 * @param {{ title: string, body: readonly Child[], confirm: string, danger?: boolean,
 *   send: (data: FormData) => Promise<void>, opened?: (form: HTMLFormElement, signal: AbortSignal) => void }} o
 */
export function openDialog(o) {
  const problem = h('p', { class: 'problem', role: 'alert' });
  const confirm = /** @type {HTMLButtonElement} */ (h('button', { class: o.danger ? 'danger' : 'primary' }, o.confirm));
  const cancel = h('button', { type: 'button', class: 'quiet' }, 'Cancel');
  const form = /** @type {HTMLFormElement} */ (
    h(
      'form',
      { method: 'dialog' },
      h('h2', { id: 'dialog-title' }, o.title),
      o.body,
      problem,
      h('div', { class: 'buttons' }, cancel, confirm),
    )
  );
  const dialog = /** @type {HTMLDialogElement} */ (h('dialog', { 'aria-labelledby': 'dialog-title' }, form));
  const closed = new AbortController();
  cancel.addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => {
    closed.abort();
    dialog.remove();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    problem.textContent = '';
    confirm.disabled = true;
    o.send(new FormData(form))
      .then(() => dialog.close())
      .catch((error) => {
        problem.textContent = textOf(error);
      })
      .finally(() => {
        confirm.disabled = false;
      });
  });
  document.body.append(dialog);
  dialog.showModal();
  o.opened?.(form, closed.signal);
}

/** Closes what is open, when somebody signs out or goes elsewhere. */
export const closeDialogs = () => {
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
};

/** The field that every change has. */
export const reasonField = () =>
  nodesOf([
    h(
      'div',
      { class: 'field' },
      h('label', { for: 'f-reason' }, 'Reason'),
      h('input', {
        id: 'f-reason',
        name: 'reason',
        required: true,
        maxlength: 500,
        autocomplete: 'off',
        'aria-describedby': 'f-reason-hint',
      }),
      h('p', { class: 'hint', id: 'f-reason-hint' }, 'Stands in the audit log.'),
    ),
  ]);

/** @param {FormData} data @param {string} name */
export const textIn = (data, name) => String(data.get(name) ?? '').trim();
