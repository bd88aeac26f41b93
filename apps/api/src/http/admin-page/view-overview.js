import { ask } from './api.js';
import { openDialog, reasonField, textIn } from './dialog.js';
import { h } from './dom.js';
import { age, bytes, count, rate } from './format.js';
import { badge, button, clock, facts, field, none, notice, section, since, table, title } from './parts.js';

/** @import { Overview, Page, Pause, Queue } from './answers.d.ts' */
/** @import { Tools, View } from './main.js' */

const EVERY_MS = 3000;

/** How it goes, and the queues to pause, resume and widen. @param {Tools} tools @returns {View} */
export function overviewView(tools) {
  /** @type {Queue[]} */
  let queues = [];
  return {
    title: 'Overview',
    everyMs: () => EVERY_MS,
    load: async (signal) => {
      /** @type {[Overview, Page<Queue>]} */
      const [now, list] = await Promise.all([ask('/overview', { signal }), ask('/queues', { signal })]);
      queues = list.data;
      return [title('Overview'), pausesOf(queues), tiles(now), queueTable(queues), ratesAndBases(now), workerTable(now)];
    },
    actions: {
      pause: (name) => changeQueue(name, { paused: true }, tools),
      resume: (name) => changeQueue(name, { paused: false }, tools),
      open: (name) => openRefusals(name, tools),
      concurrency: (name) => {
        const queue = queues.find((each) => each.name === name);
        if (queue) changeConcurrency(queue, tools);
      },
    },
  };
}

/** @param {Pause} pause @param {number} queues */
function whatWaits({ state, reason, model, tenant }, queues) {
  if (reason === 'upstream_refusal') {
    const whose = [...(model ? [`for ${model}`] : []), ...(tenant ? [`of ${tenant}`] : [])];
    return `: ${['jobs', ...whose].join(' ')} wait, one goes ahead each minute`;
  }
  if (state === 'half') return ': one job at a time, to see';
  return queues > 1 ? ' stand still' : ' stands still';
}

/** One line for each trouble, whichever queues it stops. @param {readonly Queue[]} queues */
function pausesOf(queues) {
  /** @type {Map<string, { pause: Pause, names: string[] }>} */
  const troubles = new Map();
  for (const { name, pauses } of queues)
    for (const pause of pauses) {
      const id = [pause.reason, pause.detail, pause.state, pause.model, pause.tenant].join(' ');
      const known = troubles.get(id) ?? { pause, names: [] };
      known.names.push(name);
      troubles.set(id, known);
    }
  return h(
    'div',
    { class: 'pauses', 'data-key': 'pauses' },
    [...troubles].map(([id, { pause, names }]) => {
      const line = notice(
        'warn',
        h('p', {}, h('b', {}, names.join(', ')), whatWaits(pause, names.length)),
        h(
          'p',
          { class: 'hint' },
          badge(pause.reason, 'warn'),
          ' ',
          pause.detail,
          pause.detail ? ' · ' : '',
          'since ',
          clock(pause.since),
          ' (',
          since(pause.since),
          ')',
          pause.until === undefined ? null : [', goes on by itself at ', clock(pause.until)],
        ),
      );
      line.dataset['key'] = id;
      return line;
    }),
  );
}

/** @param {Overview} now */
function tiles({ jobs, redis, workers }) {
  const share = redis.max_bytes === null ? null : redis.used_bytes / redis.max_bytes;
  return h(
    'ul',
    { class: 'tiles', 'data-key': 'tiles', 'aria-label': 'Numbers of this moment' },
    tile('Live jobs', count(jobs.live)),
    tile('Queued', count(jobs.queued)),
    tile('In flight', count(jobs.in_flight)),
    tile('Storing', count(jobs.storing), jobs.oldest_unstored_age_s === null ? '' : `oldest ${age(jobs.oldest_unstored_age_s)}`),
    tile(h('a', { href: '#/failures' }, 'Failed'), count(jobs.failed), '', jobs.failed > 0 ? 'bad' : ''),
    tile('Pending webhooks', count(jobs.pending_deliveries)),
    tile(
      'Redis memory',
      bytes(redis.used_bytes),
      share === null ? 'no limit set' : [meter(share), `${Math.round(share * 100)} % of ${bytes(redis.max_bytes ?? 0)}`],
      share !== null && share > 0.85 ? 'bad' : '',
    ),
    tile('Workers alive', count(workers.length), '', workers.length === 0 ? 'bad' : ''),
  );
}

/** @param {number} share */
const meter = (share) =>
  h('meter', { min: 0, max: 1, high: 0.7, optimum: 0, value: share.toFixed(3), 'aria-label': 'share of the memory in use' });

/** @param {import('./dom.js').Child} name @param {string} value @param {import('./dom.js').Child} [more] @param {string} [tone] */
const tile = (name, value, more = '', tone = '') =>
  h(
    'li',
    { class: tone },
    h('span', { class: 'name' }, name),
    h('span', { class: 'value' }, value),
    h('span', { class: 'more' }, more),
  );

/** @param {readonly Queue[]} queues */
const queueTable = (queues) =>
  section(
    'Queues',
    table(
      'What waits in each queue, and how much of it is worked on at once',
      [
        { head: 'Queue' },
        { head: 'State' },
        { head: 'Waiting', num: true },
        { head: 'Active', num: true },
        { head: 'Delayed', num: true },
        { head: 'Oldest', num: true },
        { head: 'Late', num: true },
        { head: 'Concurrency', num: true },
        { head: 'Changes', hide: true },
      ],
      queues.map((queue) => ({
        key: queue.name,
        cells: [
          h('a', { href: `#/queues/${queue.name}` }, queue.name),
          stateOf(queue),
          count(queue.waiting),
          count(queue.active),
          count(queue.delayed),
          queue.oldest_age_s === null ? none() : age(queue.oldest_age_s),
          queue.late_s < 1 ? none() : age(queue.late_s),
          concurrencyOf(queue),
          queue.name === 'maintain' ? null : changesOf(queue),
        ],
      })),
    ),
    h('p', { class: 'hint after' }, 'The name of a queue leads to its entries.'),
  );

/** @param {Queue} queue */
function stateOf({ paused, pauses }) {
  if (paused) return badge('paused');
  if (pauses.some(({ state }) => state === 'half')) return badge('half', 'warn');
  return pauses.length > 0 ? badge('in part', 'warn') : badge('open', 'ok');
}

/** @param {Queue} queue */
function concurrencyOf({ concurrency: { set, workers } }) {
  const open = workers.reduce((sum, each) => sum + each.open, 0);
  const all = workers.reduce((sum, each) => sum + each.concurrency, 0);
  if (workers.length === 0) return set === null ? none() : `${count(set)} set`;
  return [`${count(open)} of ${count(all)}`, set === null ? null : h('span', { class: 'set' }, ` ${count(set)} each`)];
}

/** @param {Queue} queue */
function changesOf({ name, pauses }) {
  const byPerson = pauses.some(({ reason }) => reason === 'operator');
  return h(
    'span',
    { class: 'changes' },
    byPerson
      ? button('resume', name, 'Resume', 'small', `Resume ${name}`)
      : button('pause', name, 'Pause', 'small', `Pause ${name}`),
    pauses.some(({ reason }) => reason === 'upstream_refusal') ? button('open', name, 'Open', 'small', `Open ${name}`) : null,
    button('concurrency', name, 'Concurrency', 'small', `Concurrency of ${name}`),
  );
}

/** @param {Overview} now */
const ratesAndBases = (now) =>
  h(
    'div',
    { class: 'pair', 'data-key': 'pair' },
    section(
      'Rates',
      table(
        'Jobs per minute',
        [{ head: 'Over the last' }, { head: 'Accepted', num: true }, { head: 'Ended', num: true }, { head: 'Failed', num: true }],
        now.rates.map((each) => ({
          key: String(each.minutes),
          cells: [
            each.minutes === 1 ? 'minute' : `${each.minutes} minutes`,
            rate(each.accepted_per_min),
            rate(each.ended_per_min),
            rate(each.failed_per_min),
          ],
        })),
      ),
    ),
    section(
      'In flight',
      table(
        'Open calls and living tasks by node of the upstream',
        [{ head: 'Node' }, { head: 'Jobs', num: true }],
        now.in_flight_by_base.map(({ base, count: n }) => ({ key: base ?? '', cells: [base ?? 'call in flight', count(n)] })),
        'Nothing is in flight.',
      ),
    ),
  );

/** @param {Overview} now */
const workerTable = ({ workers }) =>
  section(
    'Workers',
    table(
      'Worker processes that live',
      [
        { head: 'Host' },
        { head: 'Process' },
        { head: 'Version' },
        { head: 'Started' },
        { head: 'Last seen' },
        { head: 'Open', num: true },
      ],
      workers.map((each) => ({
        key: each.id,
        cells: [
          each.host,
          String(each.pid),
          each.version,
          since(each.started_at),
          since(each.seen_at),
          count(Object.values(each.queues).reduce((sum, { open }) => sum + open, 0)),
        ],
      })),
      'No worker is alive: nothing runs.',
    ),
  );

/** What a long pause costs, where it costs more than time. @type {Readonly<Record<string, string>>} */
const COST_OF_A_PAUSE = {
  poll: 'Nobody asks for tasks that are paid for: their results are lost two hours after the submit. Pause submit first.',
  store: 'Results that are paid for wait: their links die two hours after the submit. Pause submit too.',
};

/** @param {string} name @param {{ paused: boolean }} change @param {Tools} tools */
function changeQueue(name, change, tools) {
  openDialog({
    title: change.paused ? `Pause ${name}` : `Resume ${name}`,
    body: [
      h(
        'p',
        {},
        change.paused
          ? 'All workers stop taking entries of this queue. What is open is finished; jobs wait and no attempt is used up.'
          : 'Takes back the pause of operators. Pauses for other reasons stay.',
      ),
      change.paused && COST_OF_A_PAUSE[name] !== undefined ? notice('warn', COST_OF_A_PAUSE[name]) : null,
      reasonField(),
    ],
    confirm: change.paused ? 'Pause' : 'Resume',
    danger: change.paused,
    send: async (data) => {
      await ask(`/queues/${name}`, { method: 'PATCH', body: { ...change, reason: textIn(data, 'reason') } });
      tools.say(`${name} is ${change.paused ? 'paused' : 'resumed'}.`);
      tools.refresh();
    },
  });
}

/** @param {string} name @param {Tools} tools */
function openRefusals(name, tools) {
  openDialog({
    title: `Open ${name}`,
    body: [
      h(
        'p',
        {},
        'Jobs that wait since upstream refused others like them go on at once. Refusals are counted anew: after eight more with one text they wait again.',
      ),
      reasonField(),
    ],
    confirm: 'Open',
    send: async (data) => {
      await ask(`/queues/${name}`, { method: 'PATCH', body: { open_refusals: '*', reason: textIn(data, 'reason') } });
      tools.say(`${name} is open.`);
      tools.refresh();
    },
  });
}

/** @param {Queue} queue @param {Tools} tools */
function changeConcurrency({ name, concurrency }, tools) {
  const configured = [...new Set(concurrency.workers.map((each) => each.configured))].join(', ');
  openDialog({
    title: `Concurrency of ${name}`,
    body: [
      facts([
        ['Configured', configured === '' ? none() : configured],
        ['Set by an operator', concurrency.set === null ? none() : count(concurrency.set)],
        ['Worker processes', count(concurrency.workers.length)],
      ]),
      field(
        'Entries at once in each worker process',
        h('input', { name: 'concurrency', type: 'number', min: 1, max: 10_000, inputmode: 'numeric', value: concurrency.set }),
        'Empty: as each worker is configured.',
      ),
      reasonField(),
    ],
    confirm: 'Change',
    send: async (data) => {
      const typed = textIn(data, 'concurrency');
      const body = { concurrency: typed === '' ? null : Number(typed), reason: textIn(data, 'reason') };
      await ask(`/queues/${name}`, { method: 'PATCH', body });
      tools.say(`The concurrency of ${name} is changed.`);
      tools.refresh();
    },
  });
}
