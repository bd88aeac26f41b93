import { ackId, isAck } from './ack.ts';
import { collect } from './answer.ts';
import type { Payload } from './body.ts';
import { callerWords } from './caller-words.ts';
import type { Document } from './documents.ts';
import { GrsaiError, type Tried } from './errors.ts';
import type { CallOptions } from './options.ts';
import type { Output } from './outputs.ts';
import { refusal } from './refusal.ts';
import { isTaskAnswer, lastTask, readTask, type TaskState, taskOf } from './task-state.ts';
import type { Wire } from './wire.ts';

/** How long an answer to a question, in events or lines, may go on behind the word that the task runs. */
const NEXT_EVENT_MS = 1000;

/** A task that upstream has taken. Keep `id` secret and ask `base` for it, no other node (upstream.md §2). */
export interface Submitted {
  readonly id: string;
  readonly base: string;
  /** Bases that could not be reached before. */
  readonly tried: readonly Tried[];
  /** The task was done at once: what it made. Only then `id` may be empty. */
  readonly outputs?: readonly Output[];
}

/** Calls that make a task may be pinned to one base; then there is no failover. */
export interface SubmitOptions extends CallOptions {
  readonly base?: string | undefined;
}

/** Calls about a task need the base that took it. */
export interface ResultOptions extends CallOptions {
  readonly base: string;
}

/**
 * Hands a task over and reads the id of its acknowledgement. Sent at most once to each base, and to the next only where the one before
 * cannot have made a task.
 */
export async function submitTask(
  wire: Wire,
  path: string,
  payload: Payload,
  { signal, base, supplied }: SubmitOptions,
): Promise<Submitted> {
  const { response, tried } = await wire.transport.send({
    method: 'POST',
    path,
    payload,
    pace: 'submit',
    paid: true,
    repeatable: false,
    base,
    signal,
    words: callerWords(supplied),
  });
  const reply = await collect(response, wire.scrub, isAck);
  const id = ackId(reply);
  const state = lastTask(reply, '');
  const outputs = state?.status === 'succeeded' && state.outputs.length > 0 ? { outputs: state.outputs } : {};
  if (id === undefined && !('outputs' in outputs)) throw refusal(reply);
  return { id: id ?? '', base: response.base, tried, ...outputs };
}

/** Asks once how a task does. Safe to repeat. */
export async function askTask(
  wire: Wire,
  path: string,
  id: string,
  { base, signal, supplied }: ResultOptions,
): Promise<TaskState> {
  const { response } = await wire.transport.send({
    method: 'GET',
    path,
    pace: 'query',
    paid: false,
    repeatable: true,
    base,
    signal,
    words: callerWords(supplied),
  });
  // Events and lines say how the task goes on; what has come when the next is late is the answer.
  const runs = (document: Document): boolean => {
    if (taskOf(document.value, document.text, id)?.status !== 'running') return false;
    response.endWithin(NEXT_EVENT_MS);
    return true;
  };
  const enough = (document: Document): boolean => isTaskAnswer(document) && !runs(document);
  const state = readTask(await collect(response, wire.scrub, enough, runs), id);
  if (state instanceof GrsaiError) throw state;
  return state;
}
