import type { components } from './openapi.ts';

/** What goes to the service and comes from it, with the names of its fields; docs/api.md and `/docs` say what each means. */

type Schemas = components['schemas'];

/** A chat or an image to make. */
export type JobRequest = Schemas['JobRequest'];
export type ChatInput = Schemas['ChatInput'];
export type ImageInput = Schemas['ImageInput'];
export type Job = Schemas['Job'];
export type JobResult = Schemas['JobResult'];
/** The result of an image job. */
export type ImageResult = Schemas['ImageResult'];
/** One stored image (or video) with its signed link. */
export type ResultImage = ImageResult['images'][number];
/** The link to a completion that is too large to stand in the job. */
export type ChatFile = Schemas['ChatFile'];
/** The result of a chat job, as upstream answered it. */
export type Completion = Schemas['Completion'];
/** Why a job failed, or expired. */
export type JobError = Schemas['JobError'];
/** One thing that happened to a job. */
export type JobEvent = Schemas['JobEvent'];
export type Warning = Schemas['Warning'];

/** A job request with the `custom_id` by which its result is found. */
export type BatchItem = Schemas['BatchItem'];
export type Batch = Schemas['Batch'];
/** A batch that was taken, with warnings and the lines that were left out. */
export type AcceptedBatch = Schemas['AcceptedBatch'];
/** A batch whose failed jobs run again. */
export type RetriedBatch = Schemas['RetriedBatch'];
/** How one job of a batch ended. */
export type BatchResult = Schemas['BatchResult'];
/** A line of a batch that `on_invalid: 'skip'` left out. */
export type BatchLineError = Schemas['BatchLineError'];
/** The file with all results of a batch. */
export type ResultsFile = NonNullable<Batch['results_file']>;

export type Model = Schemas['Model'];
export type WebhookSecret = Schemas['WebhookSecret'];
/** A webhook that was sent, or is to be, with its attempts. */
export type WebhookDelivery = Schemas['WebhookDelivery'];
/** What an endpoint has missed is being sent again. */
export type WebhookRecovery = Schemas['WebhookRecovery'];
/** The body of a webhook, by its `type`. */
export type WebhookEvent = Schemas['WebhookEvent'];
/** A refusal (RFC 9457). */
export type Problem = Schemas['Problem'];
/** What is wrong with one field. */
export type FieldError = NonNullable<Problem['errors']>[number];
/** What stood in a backup that Redis was restored from, and what becomes of it. */
export type Restored = Schemas['Restored'];
