import { askTask, type ResultOptions, type SubmitOptions, type Submitted, submitTask } from './async-task.ts';
import { isRawBody, payloadOf, type RawBody } from './body.ts';
import { type Download, download } from './download.ts';
import { GrsaiInvalidRequestError } from './errors.ts';
import { type Generations, type GenerationsRequest, generations } from './generations.ts';
import { validateImageTask } from './models/index.ts';
import type { CallOptions } from './options.ts';
import { synchronousTask, taskStream } from './synchronous.ts';
import type { TaskState } from './task-state.ts';
import type { Wire } from './wire.ts';

/** Body of `POST /v1/api/generate` (upstream.md §3.1), without `replyType`, which the client sets. */
export interface ImageTask {
  readonly model: string;
  readonly prompt: string;
  /** http(s) URLs, data URLs or bare base64, mixed as you like. */
  readonly images?: readonly string[];
  /** A ratio, `auto`, or pixels, by model (upstream.md §9). */
  readonly aspectRatio?: string;
  /** `1K`, `2K`, `4K`, or what is newer; only for models that have it: on others the task stalls (upstream.md §12 T17). */
  readonly imageSize?: string;
  readonly quality?: string;
  readonly background?: string;
  readonly mask?: string;
  readonly [field: string]: unknown;
}

const GENERATE = '/v1/api/generate';

/** Image tasks of the current API (upstream.md §3, §4). */
export class Images {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /**
   * Hands a task over and returns its id at once (`replyType: "async"`, the only mode whose ids can be asked for, upstream.md §12
   * T1). What the model table knows to be wrong is refused before anything is sent (`GrsaiInvalidRequestError`). A raw body is sent as it
   * is, unchecked, and has to hold `"replyType": "async"`. Sent at most once to each base, and to the next only
   * where the one before cannot have made a task. Throws a `GrsaiError`; its `outcome` says whether a task may exist.
   */
  async submit(task: ImageTask | RawBody, options: SubmitOptions = {}): Promise<Submitted> {
    const body = isRawBody(task) ? task : JSON.stringify({ ...valid(task), replyType: 'async' });
    return submitTask(this.#wire, GENERATE, payloadOf(body), { supplied: task, ...options });
  }

  /**
   * Asks once how the task does. Safe to repeat. Every answer about the task is a state, whatever its HTTP status (upstream.md §4);
   * throws a `GrsaiError` when there is none: `retryable` for trouble on the way, not so for a refusal.
   */
  async result(id: string, options: ResultOptions): Promise<TaskState> {
    return askTask(this.#wire, `/v1/api/result?id=${encodeURIComponent(id)}`, id, options);
  }

  /**
   * Waits on the open connection for the end of the task (`replyType: "json"`); `failed` and `violation` are states as well. A
   * connection lost on the way is an `unknown` outcome, and the task cannot be asked for (upstream.md §12 T1): use `submit` for what counts.
   */
  async generate(task: ImageTask, options: CallOptions = {}): Promise<TaskState> {
    return synchronousTask(this.#wire, GENERATE, { ...valid(task), replyType: 'json' }, options);
  }

  /** The same with progress: every state as it comes, the last one terminal. Leaving the loop early drops the connection, not the task. */
  async *stream(task: ImageTask, options: CallOptions = {}): AsyncGenerator<TaskState> {
    yield* taskStream(this.#wire, GENERATE, { ...valid(task), replyType: 'stream' }, options);
  }

  /** The OpenAI-compatible synchronous call (upstream.md §6.2). */
  generations(body: GenerationsRequest | RawBody, options: CallOptions = {}): Promise<Generations> {
    return generations(this.#wire, body, options);
  }

  /** Opens a result link, without the key; the bytes show the type. Every failure is worth another try while the link lives. */
  download(url: string, options: CallOptions = {}): Promise<Download> {
    return download(this.#wire, url, options);
  }
}

function valid(task: ImageTask): ImageTask {
  const problems = validateImageTask(task);
  if (problems.length > 0) throw new GrsaiInvalidRequestError(problems);
  return task;
}
