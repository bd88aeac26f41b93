export type { BatchSource, SendProgress } from './batch-body.ts';
export type { Batches, CreateBatchOptions, ResultsOptions, RetryFailedOptions, WaitForBatchOptions } from './batches.ts';
export { GrsaiJobs, type GrsaiJobsOptions, type Models, type Outside, type RequestOptions } from './client.ts';
export type { CallOptions } from './deadline.ts';
export {
  AuthenticationError,
  ConflictError,
  ConnectionError,
  GrsaiJobsError,
  InvalidRequestError,
  JobFailedError,
  NotFoundError,
  PermissionError,
  RateLimitError,
  ServiceUnavailableError,
  TimeoutError,
  WebhookVerificationError,
} from './errors.ts';
export type { EventsOptions } from './job-events.ts';
export type { ChatChunk, StreamEvent, StreamOptions } from './job-stream.ts';
export type { JobProgress, WaitForJobOptions } from './job-wait.ts';
export type { CreateJobOptions, JobFilter, Jobs, RetryJobOptions } from './jobs.ts';
export type { Page, Pages } from './pages.ts';
export { extensionOf, imagesOf, textOf } from './results.ts';
export type { Query } from './transport.ts';
export type * from './types.ts';
export type { DeliveryFilter, RotateSecretOptions, Webhooks } from './webhooks/calls.ts';
export { type VerifyOptions, verifyWebhook } from './webhooks/verify.ts';
