import { ask } from './api.js';
import { h } from './dom.js';
import { bytes, costText, count, duration, waitingText } from './format.js';
import { badge, button, clock, facts, none, notice, section, table, title } from './parts.js';
import { requeueJob } from './requeue.js';
import { timelineOf } from './timeline.js';

/** @import { Delivery, Image, JobDetail } from './answers.d.ts' */
/** @import { Tools, View } from './main.js' */

const EVERY_MS = 3000;
const LIVE = new Set(['queued', 'running', 'canceling']);

/** One job with all that is known of it. @param {string} id @param {Tools} tools @returns {View} */
export function jobView(id, tools) {
  /** @type {JobDetail | undefined} */
  let job;
  return {
    title: id,
    everyMs: () => (job !== undefined && isSettled(job) ? null : EVERY_MS),
    load: async (signal) => {
      const known = await ask(`/jobs/${encodeURIComponent(id)}`, { signal });
      job = known;
      return pageOf(known);
    },
    actions: {
      requeue: () => {
        if (job) requeueJob(job, tools);
      },
      save: () => {
        if (job) save(job);
      },
    },
  };
}

/** @param {JobDetail} job */
const isSettled = (job) => !LIVE.has(job.status) && job.deliveries.every(({ state }) => state !== 'pending');

/** @param {JobDetail} job */
const pageOf = (job) => [
  title(
    h('span', { class: 'id' }, job.id),
    badge(job.stage ?? job.status),
    h(
      'span',
      { class: 'changes' },
      LIVE.has(job.status) || job.status === 'succeeded' ? null : button('requeue', job.id, 'Requeue…', 'primary'),
      button('save', job.id, 'Save JSON', 'quiet'),
    ),
  ),
  errorOf(job),
  h(
    'div',
    { class: 'sides', 'data-key': 'sides' },
    h(
      'div',
      {},
      section('Timeline', timelineOf(job)),
      section(
        'Webhooks',
        job.deliveries.length === 0
          ? h('p', { class: 'empty' }, 'None were asked for, or none is pending yet.')
          : job.deliveries.map(deliveryOf),
      ),
    ),
    h('div', {}, section('Facts', factsOf(job)), imagesOf(job), section('Input', inputOf(job)), section('As JSON', rawOf(job))),
  ),
];

/** @param {JobDetail} job */
function errorOf({ error }) {
  if (error === null) return null;
  const { upstream } = error;
  const said = [upstream?.status === undefined ? '' : `HTTP ${upstream.status}`, upstream?.code ?? '', upstream?.message ?? ''];
  const text = said.filter((each) => each !== '').join(' · ');
  const box = notice(
    'bad',
    h(
      'p',
      {},
      h('code', {}, error.code),
      ' ',
      badge(error.stage, 'grey'),
      error.retryable ? null : [' ', badge('not retryable', 'warn')],
    ),
    h('p', {}, error.message),
    text === '' ? null : h('p', { class: 'said' }, 'Upstream said: ', h('q', {}, text)),
  );
  box.dataset['key'] = 'error';
  return box;
}

/** @param {JobDetail} job */
const factsOf = (job) =>
  facts([
    ['Tenant', job.tenant],
    ['Type', job.type],
    ['Came by', job.origin === 'openai' ? '/openai/v1' : '/v1'],
    ...(job.waiting === null ? [] : [/** @type {const} */ (['Waits for', waitingText(job.waiting, Date.now())])]),
    ['Model', job.model],
    ['Run', count(job.run)],
    ['Attempts used', `${count(job.attempts_used)} of ${count(job.max_attempts)}`],
    ...(job.crashes > 0 ? [/** @type {const} */ (['Crashes', count(job.crashes)])] : []),
    [
      'Progress',
      LIVE.has(job.status) ? [h('progress', { max: 100, value: job.progress }), ` ${job.progress} %`] : `${job.progress} %`,
    ],
    ['Cost', job.cost === null ? none() : costText(job.cost)],
    ['Priority', job.priority],
    ['On unknown submit', job.on_unknown_submit],
    ['Accepted', clock(job.created_at)],
    ['Started', job.started_at === null ? none() : clock(job.started_at)],
    ['Finished', job.finished_at === null ? none() : clock(job.finished_at)],
    ['Expires', clock(job.expires_at)],
    ['Node', job.upstream?.base ?? none()],
    ['Upstream task', job.upstream === null ? none() : h('span', { class: 'id' }, job.upstream.task_id)],
    ['Polls', job.upstream === null ? none() : count(job.upstream.polls)],
    ...(job.batch_id === null ? [] : [/** @type {const} */ (['Batch', h('span', { class: 'id' }, job.batch_id)])]),
    ...(job.custom_id === null ? [] : [/** @type {const} */ (['Custom id', job.custom_id])]),
    ...(job.late_result ? [/** @type {const} */ (['Late result', 'yes'])] : []),
    ...(job.unstored === null
      ? []
      : [/** @type {const} */ (['Paid, not stored', ['link dies ', clock(job.unstored.expires_at)]])]),
    ...Object.entries(job.metadata).map(([name, value]) => /** @type {const} */ ([`metadata: ${name}`, value])),
  ]);

/** Only addresses of the web become images. @param {string} url */
const isWeb = (url) => /^https?:\/\//.test(url);

/** @param {JobDetail} job */
function imagesOf({ result }) {
  const images = (result?.images ?? []).filter(({ url }) => isWeb(url));
  if (images.length === 0) return null;
  const lost = (result?.lost ?? []).map(({ index, reason }) =>
    h('p', { class: 'hint' }, `Image ${index + 1} was lost: ${reason}`),
  );
  return section('Images', h('div', {}, h('ul', { class: 'images' }, images.map(imageOf)), ...lost));
}

/** What every browser shows; an SVG, which may hold scripts, and other types are links. */
const SHOWN = /^image\/(?:png|jpeg|webp|gif|avif|bmp)$/;

/** @param {Image} image */
const pictureOf = (image) =>
  SHOWN.test(image.content_type)
    ? h('img', {
        src: image.url,
        alt: `Image ${image.index + 1} of the result`,
        width: image.width ?? 256,
        height: image.height ?? 256,
        loading: 'lazy',
        decoding: 'async',
        referrerpolicy: 'no-referrer',
      })
    : `File ${image.index + 1} of the result (${image.content_type})`;

/** @param {Image} image */
const imageOf = (image) =>
  h(
    'li',
    { 'data-key': image.key },
    h('a', { href: image.url, target: '_blank', rel: 'noreferrer noopener' }, pictureOf(image)),
    h('span', { class: 'hint' }, [image.width === null ? '' : `${image.width} × ${image.height}, `, bytes(image.bytes)]),
  );

/** @param {JobDetail} job */
function inputOf({ input }) {
  const { prompt, ...rest } = /** @type {Record<string, unknown>} */ (input);
  return h(
    'div',
    {},
    typeof prompt === 'string' ? h('p', { class: 'prompt', tabindex: 0 }, prompt) : null,
    h('pre', { tabindex: 0 }, JSON.stringify(typeof prompt === 'string' ? rest : input, null, 2)),
  );
}

/** @param {JobDetail} job */
const rawOf = (job) =>
  h(
    'details',
    {},
    h('summary', {}, 'All that the API says'),
    h('pre', { tabindex: 0, class: 'raw' }, JSON.stringify(job, null, 2)),
  );

/** @param {Delivery} delivery */
const deliveryOf = (delivery) =>
  h(
    'article',
    { class: 'delivery', 'data-key': delivery.id },
    h('h3', {}, h('code', {}, delivery.type), ' ', badge(delivery.state), h('span', { class: 'hint' }, ` run ${delivery.run}`)),
    h('p', { class: 'hint url' }, delivery.url),
    delivery.next_attempt_at === null ? null : h('p', { class: 'hint' }, 'next attempt at ', clock(delivery.next_attempt_at)),
    delivery.attempts.length === 0
      ? null
      : table(
          `Attempts of ${delivery.id}`,
          [
            { head: 'Attempt', num: true },
            { head: 'At' },
            { head: 'Outcome' },
            { head: 'Phase' },
            { head: 'Took', num: true },
            { head: 'Answer', wide: true },
          ],
          delivery.attempts.map((each) => ({
            key: String(each.number),
            cells: [
              String(each.number),
              clock(each.at),
              badge(
                each.status === undefined ? (each.ok ? 'delivered' : 'no answer') : `HTTP ${each.status}`,
                each.ok ? 'ok' : 'bad',
              ),
              each.phase,
              duration(each.duration_ms),
              answerOf(each),
            ],
          })),
        ),
  );

/** @param {import('./answers.d.ts').Delivery['attempts'][number]} each */
function answerOf({ error, answer }) {
  if (!error && !answer) return none();
  return [
    error ? h('span', {}, error) : null,
    answer ? h('details', {}, h('summary', {}, 'body'), h('pre', { tabindex: 0 }, answer)) : null,
  ];
}

/** @param {JobDetail} job */
function save(job) {
  const url = URL.createObjectURL(new Blob([JSON.stringify(job, null, 2)], { type: 'application/json' }));
  const link = /** @type {HTMLAnchorElement} */ (h('a', { href: url, download: `${job.id}.json` }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
