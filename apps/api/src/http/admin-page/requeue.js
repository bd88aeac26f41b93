import { ask } from './api.js';
import { meanings, total } from './bulk.js';
import { openDialog, reasonField, textIn } from './dialog.js';
import { h } from './dom.js';
import { age, count } from './format.js';
import { badge, field, notice, select } from './parts.js';

/** @import { BulkAction, DryRun, FailureGroup, JobDetail } from './answers.d.ts' */
/** @import { Tools } from './main.js' */

const RATE = 60;
const RATE_MAX = 60_000;

/** A dry run looks at up to 20 000 jobs before it answers. */
const DRY_RUN_MS = 30_000;

/** Runs one job again. @param {JobDetail} job @param {Tools} tools */
export function requeueJob(job, tools) {
  openDialog({
    title: 'Requeue this job',
    body: [
      h('p', {}, h('span', { class: 'id' }, job.id), ' of ', h('b', {}, job.tenant)),
      field(
        'How',
        select('mode', '', [
          ['', 'resume if anything was paid for, else submit anew'],
          ['resume', 'resume: go on with what was paid for'],
          ['resubmit', 'resubmit: submit, and pay, anew'],
        ]),
        job.error?.code === 'submit_unknown'
          ? 'The outcome of its paid call is unknown: only "resubmit" runs it, and it may be paid for twice.'
          : 'It gets a new run and a new life of the same length.',
      ),
      reasonField(),
    ],
    confirm: 'Requeue',
    send: async (data) => {
      const mode = textIn(data, 'mode');
      const body = { ...(mode === '' ? {} : { mode }), reason: textIn(data, 'reason') };
      await ask(`/jobs/${encodeURIComponent(job.id)}/requeue`, { method: 'POST', body });
      tools.say('The job runs again.');
      tools.refresh();
    },
  });
}

/**
 * Runs the jobs of a group again. What would happen is found out first, by a dry run; only then can it be begun.
 * @param {FailureGroup} group
 * @param {{ tenant: string, type: string }} narrowed what the list was narrowed to, and so is this
 * @param {boolean} isSpan whether the list shows a span of time only: this does not
 * @param {Tools} tools
 */
export function requeueGroup(group, narrowed, isSpan, tools) {
  const filter = { signature: group.id, ...given(narrowed) };
  const box = h('div', { class: 'found', role: 'status', 'aria-live': 'polite' });
  // One for all tries of this dialog: an answer that got lost is no reason to begin a second one.
  const idempotencyKey = randomId();
  /** @type {number | null} */
  let willRun = null;
  openDialog({
    title: 'Requeue failed jobs',
    body: [
      h(
        'p',
        {},
        h('code', {}, group.code),
        ' ',
        badge(group.stage, 'grey'),
        narrowed.tenant === '' ? ' of all tenants' : [' of ', h('b', {}, narrowed.tenant)],
        narrowed.type === '' ? null : `, ${narrowed.type} only`,
        isSpan ? ', of any time' : null,
      ),
      h('p', { class: 'message' }, group.message),
      h(
        'div',
        { class: 'field check' },
        h('input', { type: 'checkbox', id: 'f-unknown', name: 'include_unknown', 'aria-describedby': 'f-unknown-hint' }),
        h('label', { for: 'f-unknown' }, 'Also jobs whose paid call has an unknown outcome'),
        h('p', { class: 'hint', id: 'f-unknown-hint' }, 'They are submitted anew and may be paid for twice.'),
      ),
      box,
      field(
        'Jobs per minute',
        h('input', { name: 'rate', type: 'number', min: 1, max: RATE_MAX, required: true, value: RATE, inputmode: 'numeric' }),
        'How fast they are requeued, so that new jobs keep their room.',
      ),
      reasonField(),
    ],
    confirm: 'Requeue',
    opened: (form, closed) => {
      const confirm = /** @type {HTMLButtonElement} */ (form.querySelector('.primary'));
      const unknown = /** @type {HTMLInputElement} */ (form.elements.namedItem('include_unknown'));
      const rate = /** @type {HTMLInputElement} */ (form.elements.namedItem('rate'));
      const show = () => {
        confirm.disabled = !willRun;
        confirm.textContent = willRun ? `Requeue ${count(willRun)} ${willRun === 1 ? 'job' : 'jobs'}` : 'Requeue';
        const takes = form.querySelector('.takes');
        if (takes && willRun && rate.valueAsNumber > 0)
          takes.textContent = `They are requeued within ${age((willRun / rate.valueAsNumber) * 60)}.`;
      };
      const look = async () => {
        willRun = null;
        show();
        box.replaceChildren(h('p', { class: 'hint' }, 'Dry run …'));
        try {
          const found = await dryRun({ filter, include_unknown: unknown.checked }, closed);
          willRun = total(found.would);
          box.replaceChildren(foundOf(found, willRun));
        } catch (error) {
          if (!closed.aborted) box.replaceChildren(notice('bad', error instanceof Error ? error.message : String(error)));
        }
        show();
      };
      unknown.addEventListener('change', () => void look());
      rate.addEventListener('input', show);
      void look();
    },
    send: async (data) => {
      /** @type {BulkAction} */
      const bulk = await ask('/bulk-actions', {
        method: 'POST',
        headers: { 'idempotency-key': idempotencyKey },
        body: {
          action: 'requeue',
          filter,
          rate_per_min: Number(textIn(data, 'rate')),
          include_unknown: data.has('include_unknown'),
          reason: textIn(data, 'reason'),
        },
      });
      tools.say('The requeue has begun.');
      location.hash = `#/bulk-actions/${encodeURIComponent(bulk.id)}`;
    },
  });
}

/** @param {Record<string, string>} values */
const given = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));

/** @param {DryRun} found @param {number} runs */
const foundOf = (found, runs) =>
  h(
    'div',
    { class: 'dry' },
    h('h3', {}, 'Dry run: nothing was changed'),
    h('dl', { class: 'counts' }, meanings(found.would), meanings(found.skipped)),
    found.complete ? null : h('p', { class: 'hint' }, `There are more: only ${count(found.counts.matched)} were looked at.`),
    h('p', { class: 'hint takes' }, runs === 0 ? 'There is nothing to run.' : ''),
  );

/**
 * @param {{ filter: Record<string, string>, include_unknown: boolean }} what
 * @param {AbortSignal} signal
 * @returns {Promise<DryRun>}
 */
const dryRun = async (what, signal) =>
  await ask('/bulk-actions', {
    method: 'POST',
    body: { action: 'requeue', ...what, dry_run: true },
    limitMs: DRY_RUN_MS,
    signal,
  });

/** `crypto.randomUUID` is there on https only. */
const randomId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
