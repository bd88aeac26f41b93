import { createJobStore } from '@grsai-jobs/job-store';
import { type BatchRecord, isTerminal, type Job, type JobEvent } from '@grsai-jobs/jobs';
import { wrongCost } from '@grsai-jobs/testkit/cost-rule';
import { SimulatedClient } from '../redis/client/client.ts';
import type { SentBatch } from './callers.ts';
import { isDisturbed } from './faults.ts';
import { checkInput, checkOutput } from './objects.ts';
import { type Order, orderNameOf } from './orders.ts';
import { sha256 } from './picture.ts';
import { PREFIX } from './prefix.ts';
import type { World } from './world.ts';

/** What is allowed although it costs: counted, and explained by a fault. */
export interface Allowed {
  /** Image jobs whose outcome nobody knows, as they were told. */
  unknownSubmits: number;
  /** Chats that upstream answered more than once. */
  repeatedChats: number;
  /** Second tasks of callers who said `resubmit`. */
  resubmitted: number;
  /** Jobs that a Redis which had started again held for a decision: an operator let them go. */
  heldBack: number;
}

/** The operation that would expire a batch waits for its deadline, however soon the batch has ended. */
const SOON_MS = 60_000;

/** A look at the whole store, from outside of time: everything in it is as it is at this moment. */
export function lookInto(world: World) {
  const redis = new SimulatedClient(world.redis, { name: 'checker' });
  const store = createJobStore({ redis, prefix: PREFIX, clock: world.time });
  const key = (rest: string) => `{${PREFIX}}:${rest}`;
  return {
    store,
    /** Jobs that have not ended, tasks that are asked for although their run has, batches and deliveries that are not over, and operations that are under way. */
    async unfinished(): Promise<{ live: number; late: number; deliveries: number; operations: number }> {
      const usage = await redis.hgetall(key('usage'));
      const live = Object.entries(usage).reduce((sum, [field, n]) => sum + (field.startsWith('live:') ? Number(n) : 0), 0);
      const [late, deliveries, operations] = await Promise.all([
        redis.zcard(key('late')),
        redis.zcard(key('pending:deliveries')),
        redis.zcount(key('operations'), '-inf', world.time.now() + SOON_MS),
      ]);
      return { live, late, deliveries, operations };
    },
    /** An operator lets go what waits for a decision: knowing that nothing was forgotten, or else that it may be paid for once more. */
    async letGo(o: { mayBeForgotten: boolean }): Promise<number> {
      const held = await store.suspects.list({ skip: 0, limit: 10_000 });
      if (held.length === 0) return 0;
      const ids = new Set(held.map(({ id }) => id));
      const byJob = new Map([...world.orders.values()].map((order) => [order.jobId, order]));
      // The caller of a batch does not know its jobs until it has their results: they bear the names of the orders.
      const orderOf = async (id: string) => byJob.get(id) ?? world.orders.get((await store.jobs.read(id))?.custom_id ?? '');
      if (o.mayBeForgotten)
        for (const id of ids) {
          const order = await orderOf(id);
          if (order !== undefined) order.begunAgain += 1;
        }
      await store.suspects.release([...ids]);
      return ids.size;
    },
    /** Operations that are under way, with when each is due. */
    operations: () => redis.zrange(key('operations'), '0', '-1', 'WITHSCORES'),
    async jobs(): Promise<Job[]> {
      const ids: string[] = [];
      for await (const page of redis.scanStream({ match: key('job:job_*'), count: 1000 }))
        for (const each of page as string[]) if (!/:(doc|out|att)$/.test(each)) ids.push(each.slice(key('job:').length));
      const jobs = await Promise.all(ids.sort().map((id) => store.jobs.read(id)));
      return jobs.filter((job) => job !== null);
    },
    counters: () => store.jobs.counters(),
    /** What is counted of tenants, and what their records say. */
    async uses(jobs: readonly Job[]): Promise<{ counted: Record<string, number>; kept: Record<string, number> }> {
      const counted = Object.entries(await redis.hgetall(key('usage'))).map(([field, n]) => [field, Number(n)] as const);
      const kept: Record<string, number> = {};
      const add = (field: string, n: string | null | undefined) => {
        if (Number(n ?? 0) !== 0) kept[field] = (kept[field] ?? 0) + Number(n);
      };
      for (const job of jobs) {
        const [use, stored] = (await redis.hmget(key(`job:${job.id}`), 'use', 'obj')) as (string | null)[];
        for (const field of [`redis:${job.tenant}`, '#redis']) add(field, use);
        add(`stored:${job.tenant}`, stored);
      }
      return { counted: Object.fromEntries(counted.filter(([, n]) => n !== 0)), kept };
    },
    /** What has to be nothing when nothing is under way. */
    async leftOver(): Promise<Record<string, number>> {
      const sets = ['due', 'inflight', 'storing', 'pending:deliveries', 'due:deliveries', 'rooms'];
      const sizes = await Promise.all(sets.map((name) => redis.zcard(key(name))));
      const queued = Number((await redis.hget(key('turns'), '#queued')) ?? 0);
      return { ...Object.fromEntries(sets.map((name, i) => [name, sizes[i] ?? 0])), queued };
    },
  };
}

export type Look = ReturnType<typeof lookInto>;

/**
 * Holds the records against the ledgers of upstream, bucket and receivers, when everything has ended.
 *
 * @param o.disturbed something went wrong that is not in the plan.
 */
export async function checkEnd(world: World, look: Look, o: { disturbed?: boolean } = {}): Promise<Allowed> {
  const allowed: Allowed = { unknownSubmits: 0, repeatedChats: 0, resubmitted: 0, heldBack: 0 };
  const jobs = await look.jobs();
  const byOrder = new Map<string, Job>();
  for (const job of jobs) {
    const name = orderNameOf(job.doc);
    if (byOrder.has(name)) world.violation(`two jobs for one order: ${byOrder.get(name)?.id}, ${job.id}`, name);
    byOrder.set(name, job);
    checkJob(world, name, job, allowed);
    checkCost(world, name, job, o);
  }
  for (const order of world.orders.values())
    if (order.isDeleted) checkDeleted(world, order, byOrder.get(order.name));
    else if (!byOrder.has(order.name) && !order.mayBeDeleted && !(world.plan.keepsLimits && order.jobId === null))
      world.violation('accepted, and there is no job', order.name);
  checkWebhooks(world, jobs);
  await checkOrphans(world, look, jobs);
  await checkBatches(world, look, byOrder);
  await checkUses(world, look, jobs);
  if (!o.disturbed && !isDisturbed(world.plan)) await checkRepairs(world, look);
  for (const [name, size] of Object.entries(await look.leftOver()))
    if (size !== 0) world.violation(`${size} left in ${name} when everything has ended`, 'redis');
  return allowed;
}

async function checkUses(world: World, look: Look, jobs: readonly Job[]): Promise<void> {
  const { counted, kept } = await look.uses(jobs);
  for (const field of new Set([...Object.keys(counted), ...Object.keys(kept)]))
    if (counted[field] !== kept[field])
      world.violation(`counts ${counted[field]} of ${field}, and its records take ${kept[field]}`, 'usage');
}

/** Where nothing goes wrong on our side, nothing needs a repair: each entry was added by whoever should. */
async function checkRepairs(world: World, look: Look): Promise<void> {
  const counters = await look.counters();
  for (const name of ['repairs', 'delivery_repairs', 'stalled', 'thrown'])
    if (counters[name] !== undefined) world.violation(`${counters[name]} ${name}, and nothing went wrong`, 'everything');
}

function checkJob(world: World, name: string, job: Job, allowed: Allowed): void {
  if (!isTerminal(job.status)) world.violation(`is ${job.status}/${job.stage} for ever`, name);
  const order = world.orders.get(name);
  if (order === undefined) {
    world.violation('a job that nobody sent', name);
    return;
  }
  const tasks = world.upstream.tasksByOrder.get(name) ?? [];
  const generations = world.upstream.generationsByOrder.get(name) ?? 0;
  if (job.error?.code === 'submit_unknown') allowed.unknownSubmits += 1;
  if (job.doc.type === 'chat') allowed.repeatedChats += Math.max(0, (world.upstream.chatsByOrder.get(name) ?? 0) - 1);
  if (job.doc.on_unknown_submit === 'resubmit' && tasks.length + generations > 1) allowed.resubmitted += 1;
  checkHeard(world, order, job);
  checkLost(world, order, job);
  // A delete that was cut short has taken objects; it is its caller's to send again.
  if (!job.erasing || !order.mayBeDeleted) {
    checkInput(world, name, job);
    checkOutput(world, name, job);
  }
  checkPaid(world, order, job);
  checkAnswer(world, name, job);
}

/** What it says that its calls have cost is what upstream took; what may be either stays reserved, and where nothing went wrong nothing does. */
function checkCost(world: World, name: string, { cost, price, doc }: Job, o: { disturbed?: boolean }): void {
  if (price === null || world.hasForgotten) return;
  const said = { charged: cost.charged ?? 0, refunded: cost.refunded ?? 0, reserved: (cost.open ?? 0) + cost.unknown };
  const { oddities, cancels } = world.plan;
  const isCalm = !o.disturbed && !isDisturbed(world.plan) && world.plan.faultEveryMs === 0 && cancels === 0;
  const wrong = wrongCost(said, world.upstream.ledgerOf(name), {
    isChat: doc.type === 'chat',
    mayBeUnknown: !isCalm || Object.values(oddities).some((often) => often > 0),
  });
  if (wrong !== null) world.violation(wrong, name);
}

/** An input belongs to a job, or a note says when it goes. */
async function checkOrphans(world: World, look: Look, jobs: readonly Job[]): Promise<void> {
  const ids = new Set(jobs.map(({ id }) => id));
  for (const order of world.orders.values()) if (order.mayBeDeleted && order.jobId !== null) ids.add(order.jobId);
  for (const { jobId } of await look.store.inputNotes.before(world.time.now(), 10_000)) ids.add(jobId);
  for (const key of world.bucket.objects.keys())
    if (key.endsWith('/input.json') && !ids.has(key.split('/').at(-2) ?? ''))
      world.violation(`${key} is in the object store for ever`, 'inputs');
}

/** P3: a task of which a worker has heard that lives is on record, unless it came to nothing or another run began without it. */
function checkHeard(world: World, order: Order, job: Job): void {
  if (order.begunAgain > 0 || job.doc.on_unknown_submit === 'resubmit') return;
  for (const { id, outcome } of world.upstream.tasksByOrder.get(order.name) ?? [])
    if (outcome === 'succeeded' && world.upstream.heardBy.get(id)?.state === 'running' && job.task?.id !== id)
      world.violation(`a worker that lives has heard of its task ${id}, which is not on record: ${job.task?.id}`, order.name);
}

/** P3: files live for hours, so that no result is lost in a life, except one that kills whoever loads it. */
function checkLost(world: World, order: Order, job: Job): void {
  if (world.upstream.deathsByOrder.has(order.name)) return;
  const tasks = world.upstream.tasksByOrder.get(order.name) ?? [];
  if (tasks.some(({ links }) => links.every((link) => world.upstream.broken.has(link)))) return;
  for (const { error } of [job, ...Object.values(job.past)])
    if (error?.code === 'upstream_result_lost') world.violation('its result was given up while its files were there', order.name);
}

/** P3: what upstream made for a job is its result, or its caller has been told why not. */
function checkPaid(world: World, order: Order, job: Job): void {
  const made = (world.upstream.tasksByOrder.get(order.name) ?? []).filter(
    ({ outcome, links }) => outcome === 'succeeded' && links.some((link) => !world.upstream.broken.has(link)),
  );
  if (made.length === 0 || job.status === 'succeeded' || job.status === 'canceled') return;
  // From the beginning of a delete on nothing reopens it, also when its objects could not be deleted.
  if (order.mayBeDeleted) return;
  // Nobody knows of it who could ask for it.
  const isUnheard = !made.some(({ id }) => id === job.task?.id);
  if (isUnheard && (job.status === 'expired' || job.error?.code === 'submit_unknown')) return;
  const hasKilled = (world.upstream.deathsByOrder.get(order.name) ?? 0) > 0;
  if (hasKilled && job.error?.code === 'crashed') return;
  // A retry of what was lost, or failed by policy, may have come to another end.
  if (order.begunAgain === 0 && job.doc.on_unknown_submit !== 'resubmit')
    world.violation(`${made.length} tasks succeeded, and it is ${job.status} (${job.error?.code})`, order.name);
}

/** P3: an answer that is on record is the result of its chat. Of one that was canceled a retry stores it. */
function checkAnswer(world: World, name: string, { status, unstored, error }: Job): void {
  if ((status === 'failed' || status === 'expired') && unstored?.completion !== undefined)
    world.violation(`an answer of it is on record, and it has ${status} (${error?.code})`, name);
}

/** Of what was deleted nothing is left. */
function checkDeleted(world: World, order: Order, job: Job | undefined): void {
  if (job !== undefined) world.violation('was deleted, and its record is there', order.name);
  for (const key of world.bucket.objects.keys())
    if (key.includes(`/${order.jobId}/`)) world.violation(`was deleted, and ${key} is in the object store`, order.name);
}

/** P4: each end that a caller asked for has been told, and nothing that has not happened. */
function checkWebhooks(world: World, jobs: readonly Job[]): void {
  const told = new Map<string, Set<string>>();
  for (const { subject, run, type } of world.internet.delivered) {
    const of = told.get(`${subject}/${run}`) ?? new Set<string>();
    told.set(`${subject}/${run}`, of.add(type));
  }
  for (const job of jobs) {
    if (!job.doc.webhook) continue;
    const ends = [...(told.get(`${job.id}/${job.run}`) ?? [])].filter((type) => !['job.started', 'job.progress'].includes(type));
    const wanted = `job.${job.status}`;
    if (job.doc.webhook.events.includes(wanted as JobEvent) && !ends.includes(wanted))
      world.violation(`its caller was never told that run ${job.run} is ${job.status}`, orderNameOf(job.doc));
    const others = ends.filter((type) => type !== wanted);
    for (const [run, { status }] of Object.entries(job.past)) {
      const end = `job.${status}` as JobEvent;
      if (job.doc.webhook.events.includes(end) && !told.get(`${job.id}/${run}`)?.has(end))
        world.violation(`its caller was never told that run ${run} was ${status}`, orderNameOf(job.doc));
    }
    if (others.length > 0)
      world.violation(`its caller was told ${others} of run ${job.run}, which is ${job.status}`, orderNameOf(job.doc));
  }
}

async function checkBatches(world: World, look: Look, byOrder: ReadonlyMap<string, Job>): Promise<void> {
  for (const sent of world.batches) {
    const batch = sent.id === null ? null : await look.store.batches.read(sent.id);
    if (sent.id === null && world.plan.keepsLimits) continue;
    if (batch === null) world.violation('accepted, and there is no batch', sent.name);
    else checkBatch(world, sent, batch, byOrder);
    if (batch !== null) checkResults(world, sent, batch, byOrder);
  }
}

function checkBatch(world: World, sent: SentBatch, batch: BatchRecord, byOrder: ReadonlyMap<string, Job>): void {
  // Of what was erased a batch goes on to count how it ended, as the watch holds after each command.
  if (sent.orders.every(({ name }) => byOrder.has(name))) checkCounts(world, sent, batch, byOrder);
  if (!['completed', 'canceled', 'expired'].includes(batch.status)) world.violation(`is ${batch.status} for ever`, sent.name);
  const told = world.internet.delivered.some(({ subject, type }) => subject === batch.id && type === `batch.${batch.status}`);
  if (!told) world.violation(`its caller was never told that it is ${batch.status}`, sent.name);
}

function checkCounts(world: World, sent: SentBatch, batch: BatchRecord, byOrder: ReadonlyMap<string, Job>): void {
  const counts: Record<string, number> = {};
  for (const { name } of sent.orders) {
    const status = byOrder.get(name)?.status ?? 'missing';
    counts[status] = (counts[status] ?? 0) + 1;
  }
  for (const [status, n] of Object.entries(batch.counts))
    if (status !== 'total' && n !== (counts[status] ?? 0))
      world.violation(`counts ${n} ${status} jobs, and has ${counts[status] ?? 0}`, sent.name);
  const unknown = sent.orders.filter(({ name }) => byOrder.get(name)?.error?.code === 'submit_unknown').length;
  if (batch.unknown !== unknown) world.violation(`counts ${batch.unknown} unknown submits, and has ${unknown}`, sent.name);
}

/** Its results file has a row for each job that is there. */
function checkResults(world: World, sent: SentBatch, { results }: BatchRecord, byOrder: ReadonlyMap<string, Job>): void {
  const kept = results === null ? undefined : world.bucket.objects.get(results.key);
  if (results === null || kept === undefined) {
    world.violation('its results file is not in the object store', sent.name);
    return;
  }
  if (sha256(kept.bytes) !== results.sha256) world.violation('its results file is not what was stored', sent.name);
  const rows = Buffer.from(kept.bytes).toString('utf8').trim().split('\n').length;
  const jobs = sent.orders.filter(({ name }) => byOrder.has(name)).length;
  if (rows !== jobs) world.violation(`its results file has ${rows} rows for ${jobs} jobs`, sent.name);
}
