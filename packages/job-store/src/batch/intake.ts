import { type BatchDoc, entryStage, type JobDoc, type JobPrice, type QueueMessage } from '@grsai-jobs/jobs';
import { defineScript, type RunScript } from '@grsai-jobs/redis';
import { IDEMPOTENCY_TTL_MS } from '../job/create.ts';
import { type OwnFields, ownFields, sharedFields } from '../job/record-codec.ts';
import type { Keys } from '../layout/keys.ts';
import { operationId } from '../operation/operations.ts';
import { letInOf, ROOM_LUA } from '../room/rooms.ts';
import { type Allowance, allowanceFields, type Refused, refusedOf } from '../tenant/usage.ts';
import { newBatchFields } from './codec.ts';

/** Kind of the operation that brings the lines of a batch into the list of their tenant. */
export const LIST_OPERATION = 'batch-list';

/** A batch that has had no new line and no commit for this long is discarded. */
const DISCARD_AFTER_MS = 10 * 60_000;

/** The fields of a batch's job that come from its line. */
const OF_LINE = ['q', 'exp', 'use', 'obj', 'inp', 'cid', 'ln', 'pr', 'px', 'pt', 'mdl', 'ky'] as const;

type LineFields = OwnFields & { cid: string; ln: number; pr?: string };

/** A line that is to become a job. */
export interface NewLine {
  jobId: string;
  /** From 1. */
  line: number;
  customId: string;
  doc: JobDoc;
  /** What a call of it costs; `null` or left out: nobody knows. */
  price?: JobPrice | null;
}

/** A line that was left out, and why. */
export interface LineError {
  line: number;
  custom_id: string | null;
  errors: readonly { pointer: string; message: string }[];
}

const RANKS = { high: 0, normal: 1, low: 2 } as const;

/** Where lines are to wait, queue and rank, and how many of them in a row: most bodies are of one kind. */
function runsOf(lines: readonly NewLine[]): (string | number)[] {
  const runs: [queue: string, rank: number, lines: number][] = [];
  for (const { doc } of lines) {
    const queue = entryStage(doc);
    const rank = RANKS[doc.priority];
    const last = runs.at(-1);
    if (last?.[0] === queue && last[1] === rank) last[2] += 1;
    else runs.push([queue, rank, 1]);
  }
  return runs.flat();
}

const open = defineScript({
  lua: new URL('./open.lua', import.meta.url),
  keys: ['batch', 'operations', 'discard'],
  args: ['id', 'discard_at', '...fields'],
  whenFull: 'fails',
});

const add = defineScript({
  lua: new URL('./add.lua', import.meta.url),
  keys: ['batch', 'job_ids', 'operations', 'usage', 'spent', '...jobs'],
  args: ['order', '...values'],
  whenFull: 'fails',
});

const noteErrors = defineScript({
  lua: new URL('./note-errors.lua', import.meta.url),
  keys: ['batch', 'errors'],
  args: ['...texts'],
  whenFull: 'fails',
});

const commit = defineScript({
  lua: new URL('./commit.lua', import.meta.url),
  keys: [
    'batch',
    'operations',
    'discard',
    'list',
    'expire',
    'tenant_batches',
    'job_ids',
    'errors',
    'inflight',
    'waiting',
    'turns',
    'due',
    'claim?',
  ],
  args: ['order'],
  shared: [ROOM_LUA],
  whenFull: 'fails',
  lasts: true,
});

const discardSoonScript = defineScript({
  lua: new URL('./discard-soon.lua', import.meta.url),
  keys: ['operations'],
  args: ['id', 'now'],
  whenFull: 'runs',
});

/**
 * The lines of a body become jobs that nobody sees, until one commit.
 * @param scriptClock what scripts take as the time; left out: the time of Redis.
 */
export function createBatchIntake(run: RunScript, keys: Keys, clock: { now(): number }, scriptClock?: { now(): number }) {
  const discardOperation = (id: string) => keys.operation(operationId('batch-discard', id));

  return {
    /** A batch whose lines are coming in; nobody sees it. */
    async open(batch: { id: string; tenant: string; doc: BatchDoc; createdAt: number }): Promise<void> {
      const fields = Object.entries(newBatchFields(batch)).flat();
      const args = { id: batch.id, discard_at: clock.now() + DISCARD_AFTER_MS, fields };
      await run(open, { batch: keys.batch(batch.id), operations: keys.operations, discard: discardOperation(batch.id) }, args);
    },

    /**
     * Some lines become records that nobody sees yet. `from`: lines that were added before. At most 500 at a time, and
     * about a MiB, since one script writes them. `gone`: the batch was discarded meanwhile.
     */
    async add(
      batch: { id: string; tenant: string; keyId?: string | null },
      from: number,
      lines: readonly NewLine[],
      allowance: Allowance = {},
    ): Promise<'ok' | 'gone' | Refused> {
      const createdAt = clock.now();
      const all = lines.map(({ line, customId, doc, price }): LineFields => {
        const fields = { ...ownFields({ doc, price, keyId: batch.keyId, createdAt }), cid: customId, ln: line };
        return doc.priority === 'normal' ? fields : { ...fields, pr: doc.priority };
      });
      const { same, differing } = compared(all);
      const shared = { ...sharedFields({ tenant: batch.tenant, createdAt }), batch: batch.id, ...same };
      const use = { redis: 0, stored: 0, live: lines.length };
      const values: (string | number)[] = [];
      for (const [i, fields] of all.entries()) {
        use.redis += fields.use;
        use.stored += fields.obj ?? 0;
        values.push(lines[i]?.jobId ?? '', fields.doc);
        for (const name of differing) values.push(fields[name] ?? '');
      }
      const order = {
        id: batch.id,
        from,
        last: lines.at(-1)?.line ?? 0,
        discard_at: createdAt + DISCARD_AFTER_MS,
        shared: Object.entries(shared).flat().map(String),
        own: differing,
        tenant: batch.tenant,
        use,
        runs: runsOf(lines),
        ...allowanceFields(allowance),
      };
      const reply = await run(
        add,
        {
          batch: keys.batch(batch.id),
          job_ids: keys.batchJobs(batch.id),
          operations: keys.operations,
          usage: keys.usage,
          spent: keys.spent,
          jobs: lines.map(({ jobId }) => keys.job(jobId)),
        },
        { order: JSON.stringify(order), values },
      );
      const refused = refusedOf(reply);
      if (refused !== null) return refused;
      return reply === 1 ? 'ok' : 'gone';
    },

    /** Lines that are left out, in the order of the body, a few hundred at a time. `gone`: the batch was discarded meanwhile. */
    async noteInvalid(batch: { id: string }, errors: readonly LineError[]): Promise<'ok' | 'gone'> {
      if (errors.length === 0) return 'ok';
      const texts = errors.map((each) => JSON.stringify(each));
      return (await run(noteErrors, { batch: keys.batch(batch.id), errors: keys.batchErrors(batch.id) }, { texts })) === 1
        ? 'ok'
        : 'gone';
    },

    /**
     * The end of the body: the batch is there, and each of its lines may run. Answers those that were let in at once and need a queue entry. `gone`: it was erased meanwhile, or its claim
     * is another's by now; refused: its tenant may not have so many jobs queued.
     */
    async commit(
      batch: { id: string; tenant: string },
      o: {
        total: number;
        invalid: number;
        /** Of its lines that say nothing else: what waits then expires at once, also of those that came last. */
        expiresInS: number;
        claim?: { route: string; key: string; by: string; fingerprint: string };
        /** How many jobs of its tenant may be queued; 0 or left out: no limit. */
        queued?: number | undefined;
      },
    ): Promise<{ kind: 'ok'; letIn: QueueMessage[] } | { kind: 'gone' } | Refused> {
      const now = clock.now();
      const order = {
        id: batch.id,
        now,
        at: scriptClock?.now(),
        tenant: batch.tenant,
        queued: o.queued,
        total: o.total,
        invalid: o.invalid,
        exp: now + o.expiresInS * 1000,
        claim: o.claim && { by: o.claim.by, fingerprint: o.claim.fingerprint, ttl_ms: IDEMPOTENCY_TTL_MS },
      };
      const reply = (await run(
        commit,
        {
          batch: keys.batch(batch.id),
          operations: keys.operations,
          discard: discardOperation(batch.id),
          list: keys.operation(operationId(LIST_OPERATION, batch.id)),
          expire: keys.operation(operationId('batch-expire', batch.id)),
          tenant_batches: keys.tenantBatches(batch.tenant),
          job_ids: keys.batchJobs(batch.id),
          errors: keys.batchErrors(batch.id),
          inflight: keys.inflight,
          waiting: keys.waiting,
          turns: keys.turns,
          due: keys.due,
          claim: o.claim ? keys.idempotency(batch.tenant, o.claim.route, o.claim.key) : null,
        },
        { order: JSON.stringify(order) },
      )) as [string, unknown];
      return refusedOf(reply) ?? (reply[0] === 'ok' ? { kind: 'ok', letIn: letInOf(reply[1]) } : { kind: 'gone' });
    },

    /** The request came to nothing: what was written of it is discarded soon. */
    async discardSoon(batch: { id: string }): Promise<void> {
      await run(
        discardSoonScript,
        { operations: keys.operations },
        { id: operationId('batch-discard', batch.id), now: clock.now() },
      );
    },
  };
}

/**
 * What all these lines have in common is sent once, and what none of them has not at all: of a usual batch no more than three fields of
 * a line are its own.
 */
function compared(all: readonly LineFields[]): { same: Partial<LineFields>; differing: (typeof OF_LINE)[number][] } {
  const [first] = all;
  const differing = OF_LINE.filter((name) => all.some((fields) => fields[name] !== first?.[name]));
  const same = OF_LINE.filter((name) => first?.[name] !== undefined && !differing.includes(name));
  return { same: Object.fromEntries(same.map((name) => [name, first?.[name]])), differing };
}
