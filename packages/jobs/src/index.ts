export {
  BATCH_ENDS,
  BATCH_STATUSES,
  type BatchCounts,
  type BatchDoc,
  type BatchEnd,
  type BatchRecord,
  type BatchResults,
  type BatchRound,
  type BatchRow,
  type BatchStatus,
  type BatchView,
  batchRow,
  COUNTED,
  endOfBatch,
  isBatchEnd,
  NO_BATCH_COST,
  viewAdminBatch,
  viewBatch,
} from './batch.ts';
export { BatchItem, BatchRequest, BatchWebhook, CUSTOM_ID, JsonBatchItem, jobWebhook, overDefaults } from './batch-request.ts';
export {
  BRAKE_RULES,
  type Brake,
  type BrakeState,
  type Caller,
  covers,
  isOfOneTenant,
  NO_BRAKE,
  type Noted,
  noteAnswer,
  noteRefusal,
  OTHERS_MS,
  openBrakes,
  refusalText,
  saysOfModel,
  type UnknownRefusal,
} from './brake.ts';
export { type CatalogueModel, type CatalogueSources, catalogueOf, type ModelView, viewModel } from './catalogue/catalogue.ts';
export { type ListedModel, type ModelPrice, PRICE_SOURCES, type PriceSource, type ReadModels } from './catalogue/model.ts';
export { PRICE_FILE_LIMITS, type PriceFile, readPriceFile } from './catalogue/price-file.ts';
export { COST_STATES, type CostState, costAfter, type JobCost, NO_COST, viewCost, viewJobCost } from './cost/cost.ts';
export { creditsFor, type JobPrice, type Priced, priceOf, type Tokens, tokensOf } from './cost/price.ts';
export { type CallEnd, completionIn, endOfCall, type Settlement, settlementOf } from './cost/settlement.ts';
export {
  dateOf,
  dayOf,
  endOfPeriod,
  monthOf,
  SPENT_DAYS,
  type SpentRow,
  USAGE_GROUPS,
  type UsageGroup,
  type UsageRow,
  usageBy,
} from './cost/usage.ts';
export type { Delivery, DeliveryAttempt } from './delivery.ts';
export { entryStage, type JobDoc } from './doc.ts';
export {
  DURATION_DECAY,
  type DurationHistogram,
  durationBucket,
  durationKind,
  durationsOf,
  likelyDurationMs,
} from './durations.ts';
export { ENDPOINT_RULES, type EndpointView, endpointOf, hostOf } from './endpoint.ts';
export {
  BATCH_EVENTS,
  type BatchEvent,
  DEFAULT_EVENTS,
  endEvent,
  isSentOnce,
  JOB_EVENTS,
  type JobEvent,
  PROGRESS_EVENT_EVERY_MS,
} from './events.ts';
export { FAILURE_CODES, FAILURES, type Failure, type FailureCode } from './failures.ts';
export { modelAt, nextModel, onModel, priceAt } from './fallback.ts';
export {
  BATCH_ID,
  batchId,
  dottedEventId,
  EVENT_ID,
  eventId,
  FILE_ID,
  fileId,
  JOB_ID,
  jobId,
  progressEventId,
  type Subject,
  subjectOfEvent,
} from './ids.ts';
export { eachPicture, inputObjectBytes, inputObjects, mapPictures } from './inputs.ts';
export {
  after,
  delayOf,
  type Facts,
  type FreeQueue,
  messageAfter,
  messageOf,
  type PaidQueue,
  type QueueMessage,
  queueOf,
  waitsInRoom,
} from './job/after.ts';
export { keptAttempts, numbered, withAttempt } from './job/attempts.ts';
export type {
  Attempt,
  Canceling,
  Ended,
  Generating,
  Job,
  JobError,
  JobOutput,
  JobRecord,
  Lease,
  LostOutput,
  NewAttempt,
  PastRun,
  Queued,
  StoredImage,
  Storing,
  Submitting,
  UnstoredOutput,
  UnstoredResult,
  UpstreamTask,
} from './job/job.ts';
export { jobOf } from './job/job.ts';
export { type HeldCall, knowsLess } from './job/knows-less.ts';
export { newRecord } from './job/new-job.ts';
export {
  bringsPaid,
  deliveryAtEnd,
  type JobPatch,
  type NewDelivery,
  type Order,
  type PolledJob,
  plan,
  type Stamps,
} from './job/plan.ts';
export {
  FAILED,
  hasExpired,
  hasLivingTask,
  isFailed,
  isTerminal,
  STAGES,
  STATES,
  STATUSES,
  type Stage,
  type State,
  type StateRow,
  type Status,
  stateIn,
  TERMINAL,
  type TerminalStatus,
} from './job/states.ts';
export {
  type Finish,
  MAX_CRASHES,
  type Reopen,
  type TaskRef,
  TRANSITIONS,
  type Transition,
  type TransitionName,
  type TransitionRow,
} from './job/transitions.ts';
export { isLonger, jsonPieces } from './json-pieces.ts';
export { LIMITS, TENANT } from './limits.ts';
export { withoutNulls } from './nulls.ts';
export { objectFolder } from './object-keys.ts';
export { outputBytes } from './output-bytes.ts';
export { hasFlag, PAUSE_REASONS, type PauseReason, stopsAll } from './pauses.ts';
export { isUntyped, readPictureInPieces } from './picture-text.ts';
export { base64Of, type InputObject, inlineBytes, isInline, isInputObject, type Picture, type StoredInput } from './pictures.ts';
export { plainChatItem } from './plain-chat.ts';
export { budgetMs, type Durations, nextPollMs, TASK_LIFE_MS, UNKNOWN_DURATIONS } from './poll-pace.ts';
export { QUEUES, type QueueName } from './queues.ts';
export {
  ChatInput,
  ChatJob,
  ExpiresInS,
  ImageInput,
  inlineProblems,
  JobRequest,
  Metadata,
  Priority,
  REASONING_EFFORTS,
} from './request.ts';
export { planRetry, RETRY_MODES, type RetryMode, type RetryPlan } from './retry-run.ts';
export {
  CALL_ROWS,
  decideCall,
  decideTask,
  mayRepeatFailed,
  type Observation,
  type TaskVerdict,
  throttleMs,
  type Verdict,
} from './retry-table.ts';
export { rfc3339 } from './rfc3339.ts';
export { SIGNATURE, type Signature, signatureOf, wordsOf } from './signature.ts';
export { inputPieces, isLargeInput, restoreInput, withStoredInput } from './stored-input.ts';
export { type Budget, TenantLimits } from './tenant-limits.ts';
export { type Happening, timelineOf } from './timeline.ts';
export { decideUnfinished, NO_FINISH_REASON } from './unfinished.ts';
export {
  FIRST_LATE_POLL_MS,
  isSettled,
  keptOutput,
  lostMessage,
  needsTask,
  nextLatePoll,
  refreshed,
  refusedAgain,
  unmarked,
} from './unstored.ts';
export { LONGEST_UPSTREAM_WAIT_MS, throttleWaitMs, upstreamWaitMs } from './upstream-waits.ts';
export { type JobView, jobError, type SignLink, viewJob } from './view.ts';
export type {
  ApiKeyView,
  AuditLineView,
  BulkActionView,
  BulkDryRunView,
  FailureGroupView,
  FailureListView,
  OverviewView,
  PauseView,
  QueueEntryView,
  QueueStandingView,
  QueueView,
  TenantView,
  WorkerView,
} from './view-admin.ts';
export { type AdminJobDetailView, type AdminJobView, viewAdminJob, viewAdminJobDetail } from './view-admin-job.ts';
export { viewAdminDelivery, viewDelivery } from './view-delivery.ts';
export { viewWaiting, WAITING_REASONS, type Waiting, type WaitingReason } from './waiting.ts';
export { withoutInput } from './without-input.ts';
