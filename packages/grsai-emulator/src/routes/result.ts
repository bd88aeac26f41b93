import { Directives } from '../directives.ts';
import type { Exchange } from '../exchange.ts';
import type { Strikes } from '../faults.ts';
import { currentShape } from '../shapes.ts';
import type { Task } from '../tasks.ts';
import { refusalOf, sendJson, strikeAfter, strikeBefore, strikeCoding } from '../transport.ts';
import type { World } from '../world.ts';

/** `GET /v1/api/result?id=` (upstream.md §4). The key is not looked at, as was measured. */
export async function result(x: Exchange, world: World): Promise<void> {
  const found = world.tasks.get(x.url.searchParams.get('id') ?? '');
  const strikes = pollStrikes(x, world, found);
  if (await strikeBefore(x, world, strikes)) return;
  const refusal = refusalOf(strikes);
  if (refusal !== undefined) return x.json(refusal.status, { error: refusal.text });
  const task = visibleTask(x, world, found, strikes);
  if (await strikeAfter(x, world, strikes)) return;
  if (task === undefined || (task.mode !== 'async' && !(task.mode === 'synchronous' && world.settings.synchronousIdsReadable))) {
    return sendJson(x, world, strikes, 404, { error: 'result not exist, valid for 2 hours' });
  }
  const { status, body } = currentShape(world, task, strikes);
  await sendJson(x, world, strikes, status, body);
}

/** What strikes this poll of a task. */
export function pollStrikes(x: Exchange, world: World, task: Task | undefined): Strikes {
  const moment = { phase: 'poll', node: x.node, directives: new Directives('', x.request.headers) } as const;
  const known = task === undefined ? moment : { ...moment, model: task.model, prompt: task.prompt };
  const strikes = world.plan.strikes(known, task);
  strikeCoding(x, strikes);
  return strikes;
}

/** The task, unless it is too young, too old, or on another node that shares nothing with this one. */
export function visibleTask(x: Exchange, world: World, task: Task | undefined, strikes: Strikes): Task | undefined {
  world.tasks.settle();
  if (task === undefined || (world.stores === 'split' && task.node !== x.node)) return undefined;
  const age = world.clock.now() - task.createdAt;
  const lag = Math.max(world.settings.visibilityLagMs, strikes.number('F8', 'ms'));
  return age >= lag && age < world.settings.lifeMs ? task : undefined;
}
