import { carried } from './fault-plan.ts';
import { NO_STRIKES } from './faults.ts';
import { upstreamId } from './random.ts';
import { legacyShape, type Shape } from './shapes.ts';
import { look, type Task } from './tasks.ts';
import type { World } from './world.ts';

/** The caller's side of a legacy task (upstream.md §5.2). */
export interface Hook {
  readonly url: string;
  /** Are progress posts wanted? */
  readonly progress: boolean;
}

const STEPS = [0.25, 0.5, 0.75] as const;
/** How long a receiver may take; the service's own limit is not published. */
const POST_TIMEOUT_MS = 10_000;

/**
 * Posts a task's way to its webhook, ending with its end. Posts are unsigned and never repeated, as nothing else is documented.
 * Resolves when the task may be acknowledged: at once, but with F19 `early`, where the task ends first and the receiver is notified.
 */
export async function startHook(world: World, task: Task, hook: Hook): Promise<void> {
  const form = carried(task, 'webhook', NO_STRIKES).as('F19');
  if (form === 'early') {
    world.tasks.end(task.id, task.outcome, task.error);
    await postEnd(world, task, hook, form);
  } else if (form !== 'never') {
    void follow(world, task, hook, form);
  }
}

async function follow(world: World, task: Task, hook: Hook, form: string | undefined): Promise<void> {
  for (const step of hook.progress && form !== 'disorder' ? STEPS : []) {
    await world.tasks.wait(task, task.createdAt + step * task.plannedMs, world.closing);
    if (look(task, world.clock.now()).status !== 'running') break;
    await post(world, task, hook.url, legacyShape(world, task, NO_STRIKES));
  }
  await world.tasks.wait(task, Number.POSITIVE_INFINITY, world.closing);
  await postEnd(world, task, hook, form);
  if (form === 'twice') await postEnd(world, task, hook, form);
  if (form === 'disorder')
    await post(world, task, hook.url, {
      ...legacyShape(world, task, NO_STRIKES),
      status: 'running',
      progress: 66,
      results: null,
    });
}

function postEnd(world: World, task: Task, hook: Hook, form: string | undefined): Promise<void> {
  const shape = legacyShape(world, task, NO_STRIKES);
  return post(world, task, hook.url, form === 'stranger' ? { ...shape, id: upstreamId(world.seed, 'stranger', task.id) } : shape);
}

async function post(world: World, task: Task, url: string, body: Shape): Promise<void> {
  // A closed or reset emulator has nothing more to report.
  if (world.closing.aborted || world.tasks.get(task.id) !== task) return;
  const signal = AbortSignal.any([world.closing, AbortSignal.timeout(POST_TIMEOUT_MS)]);
  const headers = { 'content-type': 'application/json' };
  const status = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal }).then(
    async (response) => {
      await response.arrayBuffer();
      return response.status;
    },
    () => 0,
  );
  const entry = { at: world.clock.now(), taskId: task.id, url, body, status };
  world.ledger.webhooks.push(entry);
  world.bus.emit('webhook', entry);
}
