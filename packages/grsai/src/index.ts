export type { ModelStatus } from './account.ts';
export { assemble, CompletionAssembler } from './assemble.ts';
export type { ResultOptions, SubmitOptions, Submitted } from './async-task.ts';
export type { RawBody, StreamedBody } from './body.ts';
export { isEmptyCompletion, type Meaning, meaningOf, sizeOf } from './chat-meaning.ts';
export type {
  ChatAnswer,
  ChatChoice,
  ChatChunk,
  ChatChunkChoice,
  ChatCompletion,
  ChatMessage,
  ChatRequest,
  ChatUsage,
  ContentPart,
} from './chat-schema.ts';
export { type Category, classify, type Evidence, type Suspect } from './classify.ts';
export { Grsai } from './client.ts';
export type { Download } from './download.ts';
export {
  GrsaiAnswerError,
  GrsaiConnectionError,
  GrsaiError,
  type GrsaiErrorCode,
  GrsaiInvalidRequestError,
  GrsaiRefusedError,
  GrsaiUnfinishedError,
  type Outcome,
  type Tried,
} from './errors.ts';
export type { Generations, GenerationsRequest } from './generations.ts';
export type { ImageTask } from './images.ts';
export { type Problem, validateImageTask } from './models/index.ts';
export { BASE_URLS, type CallOptions, type GrsaiLogger, type GrsaiOptions, TIMEOUTS, type Timeouts } from './options.ts';
export type { Output } from './outputs.ts';
export type { BaseFacts, BaseState, KeyState } from './probe.ts';
export { redact } from './redact.ts';
export { isTerminal, judgeTask, type TaskState, type TaskStatus } from './task-state.ts';
