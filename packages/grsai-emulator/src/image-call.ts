import type { Exchange } from './exchange.ts';
import { makeTask } from './make-task.ts';
import { type ImageFields, readImageOrder } from './order.ts';
import { type Admitted, admit, type Dialect, holdAnswer } from './paid.ts';
import type { Mode, Task } from './tasks.ts';
import { strikeAfter } from './transport.ts';
import type { World } from './world.ts';

/** A call for a picture, in any dialect. */
export interface ImageCall {
  readonly kind: 'image' | 'generations' | 'draw';
  readonly mode: Mode;
  readonly fields: ImageFields;
  readonly dialect: Dialect;
  /** Does the endpoint take this model? */
  readonly takes: (model: string) => boolean;
  /** A refusal that the dialect knows of by itself. */
  readonly complaint: string | undefined;
  /** Over the price of the table. */
  readonly price?: number;
  /** Pictures wanted, each paid for. */
  readonly count: number;
  /** Runs once the task exists, before any answer is held back or cut. */
  readonly onTask?: (task: Task) => Promise<void>;
}

/** Judges the call, makes its task, and applies whatever delays or cuts the answer. Undefined when nothing is left to answer. */
export async function startImage(
  x: Exchange,
  world: World,
  call: ImageCall,
): Promise<{ readonly task: Task; readonly admitted: Admitted } | undefined> {
  const { kind, mode, count, dialect } = call;
  const { model } = call.fields;
  const prompt = String(call.fields.prompt ?? '');
  const reading = readImageOrder(call.fields, kind === 'draw', world.settings);
  const order = {
    kind,
    model,
    prompt,
    cost: (call.price ?? reading.model?.cost ?? UNLISTED_COST) * count,
    modelState: call.takes(model) ? reading.model?.state : undefined,
    unknownModel: 'model not found',
    complaint: call.complaint ?? reading.complaint,
  };
  const admitted = await admit(x, world, order, dialect);
  if (admitted === undefined) return undefined;
  const video = reading.model?.shape === 'words';
  const task = makeTask(x, world, admitted, {
    kind,
    mode,
    model,
    prompt,
    size: reading.size,
    impossible: reading.impossible,
    video,
    count,
  });
  world.bus.emit('submit', admitted.submit);
  await call.onTask?.(task);
  await holdAnswer(x, world, admitted.directives);
  return (await strikeAfter(x, world, admitted.now)) ? undefined : { task, admitted };
}

/** For models that are known by the settings alone. */
const UNLISTED_COST = 1000;
