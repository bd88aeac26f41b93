import { askTask, type ResultOptions, type SubmitOptions, type Submitted, submitTask } from './async-task.ts';
import { payloadOf } from './body.ts';
import { heldTask } from './held.ts';
import type { CallOptions } from './options.ts';
import type { TaskState } from './task-state.ts';
import type { Wire } from './wire.ts';

/** The legacy paths below `/v1/draw` (upstream.md §5.1). */
export type DrawKind = 'nano-banana' | 'completions' | 'flux';

/** Body of a legacy call; all fields but these by kind (upstream.md §5.1). */
export interface DrawTask {
  readonly model: string;
  readonly prompt: string;
  readonly urls?: readonly string[];
  readonly [field: string]: unknown;
}

/** The legacy API: other field names, an envelope, the same task states (upstream.md §5). */
export class Draw {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /**
   * Hands a task over and returns its id at once. Asks for polling (`webHook: "-1"`) unless the task names a webhook of its own, whose
   * calls are unsigned: match them by id (`parseTaskState`) and ask again. Errors as `images.submit`.
   */
  async submit(kind: DrawKind, task: DrawTask, options: SubmitOptions = {}): Promise<Submitted> {
    const payload = payloadOf(JSON.stringify({ webHook: '-1', ...task }));
    return submitTask(this.#wire, `/v1/draw/${kind}`, payload, { supplied: task, ...options });
  }

  /** Asks once how the task does, as `images.result`; `code: -22` is `missing` (upstream.md §5.4). */
  async result(id: string, options: ResultOptions): Promise<TaskState> {
    return askTask(this.#wire, { path: '/v1/draw/result', body: { id } }, id, options);
  }

  /** Waits on the open connection for the end of the task (no `webHook`, `shutProgress: true`, upstream.md §5.2). */
  generate(kind: DrawKind, task: DrawTask, options: CallOptions = {}): Promise<TaskState> {
    return heldTask(this.#wire, `/v1/draw/${kind}`, { ...task, webHook: undefined, shutProgress: true }, options);
  }
}
