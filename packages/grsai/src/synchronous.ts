import { collect, documentsOf, type Reply, replyOf } from './answer.ts';
import { payloadOf } from './body.ts';
import { callerWords } from './caller-words.ts';
import { DocumentReader } from './documents.ts';
import { unwrap } from './envelope.ts';
import { GrsaiAnswerError, GrsaiConnectionError, type GrsaiError } from './errors.ts';
import type { Response } from './exchange.ts';
import type { CallOptions } from './options.ts';
import { refusal } from './refusal.ts';
import { isTerminal, lastTask, type TaskState, taskOf } from './task-state.ts';
import type { Wire } from './wire.ts';

/** Calls that hold the connection until the task has ended; its id cannot be asked for afterwards (upstream.md §12 T1). */
async function sendSynchronous(
  wire: Wire,
  path: string,
  body: object,
  { signal, supplied = body }: CallOptions,
): Promise<Response> {
  const { response } = await wire.transport.send({
    method: 'POST',
    path,
    payload: payloadOf(JSON.stringify(body)),
    pace: 'synchronous',
    paid: true,
    repeatable: false,
    signal,
    words: callerWords(supplied),
  });
  return response;
}

/** The end of the task, as one JSON or as a stream although none was asked for (upstream.md §3.4, §12 T6). */
export async function synchronousTask(wire: Wire, path: string, body: object, options: CallOptions): Promise<TaskState> {
  const response = await sendSynchronous(wire, path, body, options);
  const ended = ({ value, text }: { value: unknown; text: string }): boolean => {
    const state = taskOf(value, text, '');
    return state !== undefined && isTerminal(state);
  };
  const runs = ({ value, text }: { value: unknown; text: string }): boolean => taskOf(value, text, '')?.status === 'running';
  return endOf(await collect(response, wire.scrub, ended, runs));
}

/** An end needs an id, or its links: a failure without an id is a refusal before there was a task (upstream.md §3.4). */
function endOf(reply: Reply): TaskState {
  const state = lastTask(reply, '');
  if (state !== undefined && isTerminal(state) && (state.id !== '' || state.status === 'succeeded')) return state;
  throw refusal(reply);
}

/** The states of the task as they come, the last one terminal (upstream.md §3.5). */
export async function* taskStream(wire: Wire, path: string, body: object, options: CallOptions): AsyncGenerator<TaskState> {
  const response = await sendSynchronous(wire, path, body, options);
  if (response.status >= 300) {
    yield endOf(await collect(response, wire.scrub));
    return;
  }
  const reader = new DocumentReader(wire.scrub);
  let id = '';
  try {
    for await (const document of documentsOf(response, reader, 'read_off')) {
      const state = taskOf(document.value, document.text, id, response.words);
      if (state === undefined || (state.id === '' && state.status !== 'succeeded' && isTerminal(state))) {
        if (unwrap(document.value).error !== '') throw refusal(replyOf(response, reader, [document], wire.scrub));
        continue;
      }
      id = state.id;
      yield state;
      if (isTerminal(state)) return;
    }
  } catch (error) {
    throw error instanceof GrsaiConnectionError || error instanceof GrsaiAnswerError ? aboutTask(error, id) : error;
  }
  throw aboutTask(refusal(replyOf(response, reader, [], wire.scrub)), id);
}

/** A stream without its end: the task may go on and be charged (upstream.md §3.5). */
function aboutTask(error: GrsaiError, id: string): GrsaiError {
  if (id === '') return error;
  const { code, outcome, base, status } = error;
  return new GrsaiConnectionError({
    code: code === 'unreadable_answer' ? 'connection_lost' : code,
    outcome,
    retryable: false,
    message: `the stream ended before the task: ${error.message}`,
    base,
    status,
    taskId: id,
    cause: error,
  });
}
