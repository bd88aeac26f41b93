import type { Mutation } from './mutation.ts';

const of = (file: string, find: string, put: string, breaks: string): Mutation => ({
  file: `apps/${file}.ts`,
  find,
  put,
  breaks,
});

/** Mutations of runner, stages, periodic tasks, operations and use cases. */
export const OF_APPS: readonly Mutation[] = [
  of(
    'worker/src/runner/conflicts',
    "found: 'any', as: 'record_task' }",
    "found: 'any', as: 'drop' }",
    'P3: a task without a run is recorded',
  ),
  of(
    'worker/src/runner/conflicts',
    "found: ['failed'], as: 'reopen_late'",
    "found: ['failed'], as: 'drop'",
    'P3: what came after the end of its run reopens the job',
  ),
  of(
    'worker/src/runner/until-taken',
    'await d.timers.sleep(Math.min(2000, 100 * 2 ** n));',
    'throw err;',
    'P3: what was paid for is written until it is taken',
  ),
  of(
    'worker/src/runner/publish',
    'if (message !== null) await d.producer.enqueue(message);',
    '',
    'a transition adds the next entry',
  ),
  of(
    'worker/src/runner/publish',
    "if (placed.kind === 'entry') await d.producer.enqueueDelivery(placed);",
    '',
    'an end adds the entry of its webhook',
  ),
  of(
    'worker/src/runner/start',
    "if (job.doc.on_unknown_submit === 'resubmit') return await takeOver(d, entry, job, stage, { isOver: true });",
    'return await takeOver(d, entry, job, stage, { isOver: true });',
    'P2: a lost image call is not made again',
  ),
  of(
    'worker/src/runner/start',
    "job.status !== 'canceling' && job.doc.type === 'chat' && job.doc.on_unknown_submit === 'resubmit'",
    "job.status !== 'canceling'",
    'P2: an image call in flight is not taken over',
  ),
  of(
    'worker/src/runner/crashes',
    "  await settle(d, job, { kind: 'record_crash', cause, waitMs });",
    '',
    'an entry that stalled comes again',
  ),
  of(
    'worker/src/stages/failed-call',
    "if (doc.on_unknown_submit === 'fail') return fail(d, failed, attempt, 'submit_unknown', { keepLease: true });",
    '',
    'P2: a lost answer is not asked for again',
  ),
  of('worker/src/stages/submit', 'task: { base, id },', 'task: { base, id: base },', 'P3: the task that was paid for is polled'),
  of(
    'worker/src/stages/poll',
    'state.outputs.length > 0 ? takeOutputs(d, task, state, age) : await emptyPoll(d, task, EMPTY.withoutLink)',
    'await emptyPoll(d, task, EMPTY.withoutLink)',
    'P3: outputs are stored',
  ),
  of(
    'worker/src/stages/poll',
    'dies_at: task.submittedAt + TASK_LIFE_MS',
    'dies_at: task.submittedAt',
    'P3: outputs are tried while their links live',
  ),
  of(
    'worker/src/stages/store',
    'if (waitMs === undefined) return finish',
    'if (waitMs === undefined || pass.trouble !== undefined) return finish',
    'P3: a store that fails is tried again',
  ),
  of(
    'worker/src/maintenance/repairs',
    '        await d.store.jobs.postpone(head, nextCheck(head, now));\n      else lost.push(id);',
    '        await d.store.jobs.postpone(head, nextCheck(head, now));',
    'P1: a job whose entry is lost gets another',
  ),
  of(
    'worker/src/maintenance/pending-deliveries',
    'const step = await d.store.deliveries.repair(delivery);',
    'const step = null;',
    'P4: a webhook whose entry is lost gets another',
  ),
  of(
    'worker/src/maintenance/pending-deliveries',
    'await d.store.deliveries.overdueRooms(d.clock.now(), AT_ONCE)',
    '[]',
    'P4: who waits in a room is let out',
  ),
  of(
    'worker/src/maintenance/late-results',
    "if (task?.status === 'succeeded' && task.outputs.length > 0) return await reopen",
    "if (task?.status === 'missing') return await reopen",
    'P3: a late result reopens its job',
  ),
  of(
    'worker/src/operations/run-operations',
    'await operations.checkpoint(operation, operation.cursor, AFTER_ERROR_MS);',
    'await operations.done(operation);',
    'an operation that failed goes on',
  ),
  of(
    'worker/src/operations/batch/finish',
    'const ended = records.filter(({ status }) => isTerminal(status));',
    "const ended = records.filter(({ status }) => status === 'succeeded');",
    'results of a batch have a row for each job',
  ),
  of('api/src/use-cases/create-batch', 'publish(batch, committed.letIn);', '', 'the first lines of a batch get their entries'),
  of(
    'api/src/use-cases/create-job',
    "if (made.kind === 'replay' || made.kind === 'conflict') return await again(made);",
    '',
    'P1: a request that is sent again gets its job',
  ),
  of('api/src/use-cases/batch-writer', 'written += lines.length;', '', 'lines of a batch are counted'),
  of(
    'api/src/use-cases/create-batch',
    "if (claimed.kind === 'replay') return await replay(upload, claimed);",
    "if (claimed.kind === 'replay') return await accept(upload, batch, null);",
    'P1: a batch that is sent again is the one that there is',
  ),
  of(
    'api/src/use-cases/accepted-jobs',
    'text.startsWith(UNKNOWN) && allowance !== undefined',
    'allowance === null',
    'the queue of a tenant is limited for what was perhaps refused',
  ),
];
