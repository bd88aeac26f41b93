export type { ModelListOptions, ModelStatus } from './account.ts';
export { assemble, CompletionAssembler } from './assemble.ts';
export type { ResultOptions, SubmitOptions, Submitted } from './async-task.ts';
export type { RawBody, StreamedBody } from './body.ts';
export type { ModelList } from './catalogue/list.ts';
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
export { Grsai, type GrsaiApi } from './client.ts';
export type { Download } from './download.ts';
export {
  GrsaiAnswerError,
  GrsaiConnectionError,
  GrsaiError,
  type GrsaiErrorCode,
  type GrsaiErrorInit,
  GrsaiInvalidRequestError,
  GrsaiRefusedError,
  GrsaiUnfinishedError,
  type Outcome,
  type Tried,
} from './errors.ts';
export type { Generations, GenerationsRequest } from './generations.ts';
export type { ImageTask } from './images.ts';
export { type ListedModel, type ModelPrice, type Problem, validateImageTask } from './models/index.ts';
export { BASE_URLS, type CallOptions, type GrsaiLogger, type GrsaiOptions, TIMEOUTS, type Timeouts } from './options.ts';
export type { Output } from './outputs.ts';
export type { BaseFacts, BaseState, KeyState } from './probe.ts';
export { redact } from './redact.ts';
export { isTerminal, judgeTask, type TaskState, type TaskStatus } from './task-state.ts';
