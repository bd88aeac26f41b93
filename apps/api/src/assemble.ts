import type { Egress } from '@grsai-jobs/egress';
import { KNOWN_MODELS } from '@grsai-jobs/grsai/models';
import { createCancelJob, createReopenJob } from '@grsai-jobs/job-actions';
import { type EventFeed, type JobStore, type StreamFeed, watchCatalogue, watchMemory } from '@grsai-jobs/job-store';
import { batchId, type JobRecord, type JobRequest, jobOf, type ModelPrice, messageOf } from '@grsai-jobs/jobs';
import type { ObjectStore } from '@grsai-jobs/object-store';
import type { Producer } from '@grsai-jobs/queue';
import type { Clock, Logger, SliceQueue, Timers } from '@grsai-jobs/runtime';
import type { ApiConfig } from './config.ts';
import { createAcceptedJobs } from './use-cases/accepted-jobs.ts';
import { createBulkPreview } from './use-cases/bulk-preview.ts';
import { fallbackProblems, imageProblems, requestWarnings, type WarningsOf, webhookProblems } from './use-cases/check-request.ts';
import { createCreateBatch } from './use-cases/create-batch.ts';
import { createCreateJob } from './use-cases/create-job.ts';
import { createDeleteJob } from './use-cases/delete-job.ts';
import { createFileBatchReads } from './use-cases/file-batches.ts';
import { createFileUseCases } from './use-cases/files.ts';
import { createHeldAnswers } from './use-cases/held-answers.ts';
import { createModelCatalogue } from './use-cases/model-catalogue.ts';
import { createNudgeOperations } from './use-cases/nudge-operations.ts';
import { createOpenInput } from './use-cases/open-input.ts';
import { createQueueStates } from './use-cases/queue-states.ts';
import { createReadCompletion } from './use-cases/read-completion.ts';
import { createRecoverEndpoint } from './use-cases/recover-endpoint.ts';
import { createResendDelivery } from './use-cases/resend-delivery.ts';
import { createRestored } from './use-cases/restored.ts';
import { createRetryFailed } from './use-cases/retry-failed.ts';
import { createFollowStream } from './use-cases/stream/follow-stream.ts';
import { createDecideSuspects } from './use-cases/suspects.ts';
import { createRetryRoom, createTenantRules } from './use-cases/tenant-limits.ts';
import { createUploadInputs, inputProblems, UPLOAD_LIMIT_MS } from './use-cases/upload-inputs.ts';
import { createWaitForEnd } from './use-cases/wait-for-end.ts';
import type { FieldError } from './validation/validate.ts';

/** What the use cases take from outside. */
export interface UseCasePorts {
  clock: Clock;
  timers: Timers;
  /** The name of this process among those of the API. */
  process: string;
  /** Makes ids that grow with the time that they are given, in ms. */
  newUlid: (now: number) => string;
  log: Logger;
  /** Trouble with Redis that the parts wait out by themselves. */
  onError: (error: Error) => void;
  store: JobStore;
  producer: Producer;
  feed: EventFeed;
  /** The pieces of answers that come in. */
  streamFeed: StreamFeed;
  objects: ObjectStore;
  egress: Pick<Egress, 'checkUrl'>;
  /** Of the operator's own file, by model. */
  prices: ReadonlyMap<string, ModelPrice>;
  /** Long work on one request shares the event loop with all others. */
  slices: SliceQueue;
}

/** What of the configuration decides how they work. */
export type UseCaseSettings = Pick<ApiConfig, 'ON_UNKNOWN_SUBMIT_IMAGE' | 'ON_UNKNOWN_SUBMIT_CHAT' | 'S3_PREFIX'> &
  Parameters<typeof createTenantRules>[0]['config'];

/**
 * Puts the use cases together. They know neither HTTP nor where anything comes from, so that the same ones run in the API
 * (`build.ts`) and in a simulated world.
 */
export function assembleUseCases(p: UseCasePorts, config: UseCaseSettings) {
  const { clock, timers, log, store, producer, objects, egress, slices } = p;
  const memory = watchMemory(store, p.onError, timers);
  const modelList = watchCatalogue(store, p.onError, timers);
  const catalogue = createModelCatalogue({ watch: modelList, prices: p.prices, known: KNOWN_MODELS });
  const warningsOf: WarningsOf = (request) => [...catalogue.warnings(request.input.model), ...requestWarnings(request)];
  const tenants = createTenantRules({ limits: store.tenantLimits, config, memory, clock });
  const intake = {
    defaults: { image: config.ON_UNKNOWN_SUBMIT_IMAGE, chat: config.ON_UNKNOWN_SUBMIT_CHAT },
    newUlid: p.newUlid,
    uploadInputs: createUploadInputs({
      objects,
      notes: store.inputNotes,
      keyPrefix: config.S3_PREFIX,
      limitMs: UPLOAD_LIMIT_MS,
      slices,
      timers,
      log,
    }),
    memory,
    tenants,
    catalogue,
    usage: store.usage,
    slices,
    clock,
    timers,
    log,
  };
  const accepted = createAcceptedJobs({ store, producer, timers, log });
  const createJob = createCreateJob({
    ...intake,
    store,
    producer,
    ...accepted,
  });
  const checkJob = (request: JobRequest): FieldError[] => [
    ...webhookProblems(egress, request),
    ...imageProblems(request),
    ...fallbackProblems(request),
  ];
  const nudge = createNudgeOperations({ producer, log });
  const createBatch = createCreateBatch({
    ...intake,
    inputNotes: store.inputNotes,
    batches: store.batches,
    claims: store.claims,
    producer,
    nudge,
    warningsOf,
    check: (request) => [...checkJob(request), ...inputProblems(request)],
  });
  const readCompletion = createReadCompletion({ objects, timers });
  const waitForEnd = createWaitForEnd({ feed: p.feed, jobs: store.jobs, timers });
  // Without Redis its entry comes by itself, a little later.
  const wakeJob = async (job: JobRecord): Promise<void> => {
    const { queue, step } = messageOf(jobOf(job));
    await producer.wake(queue, { id: job.id, step }).catch(p.onError);
  };
  const heldAnswers = createHeldAnswers({
    answers: store.answers,
    wake: async (id) => {
      const job = await store.jobs.read(id).catch(() => null);
      if (job?.status === 'queued') await wakeJob(job);
    },
    process: p.process,
    newUlid: p.newUlid,
    clock,
    slices,
    timers,
    log,
  });
  const states = createQueueStates({ store, producer, clock });
  return {
    memory,
    modelList,
    catalogue,
    warningsOf,
    tenantRules: tenants,
    createJob,
    createBatch,
    newBatchId: () => batchId(p.newUlid(clock.now())),
    files: createFileUseCases({
      files: store.files,
      objects,
      notes: store.inputNotes,
      tenants,
      keyPrefix: config.S3_PREFIX,
      newUlid: p.newUlid,
      clock,
      log,
    }),
    fileReads: createFileBatchReads({ files: store.files, fileBatches: store.fileBatches, batches: store.batches, clock }),
    checkJob,
    checkUrl: (address: string) => egress.checkUrl(address)?.message,
    nudge,
    queueStates: states,
    openInput: createOpenInput({ objects, timers, log }),
    heldAnswers,
    holdAnswer: heldAnswers.hold,
    readCompletion,
    waitForEnd,
    followStream: createFollowStream({ streams: store.streams, feed: p.streamFeed, waitForEnd, readCompletion, timers }),
    wakeJob,
    cancelJob: createCancelJob({ store, producer, log }),
    forgetKey: store.transitions.forgetKey,
    reopenJob: createReopenJob({ store, producer, memory, clock, log }),
    retryRoom: createRetryRoom({ usage: store.usage, tenants, now: () => clock.now() }),
    deleteJob: createDeleteJob({ store, objects, keyPrefix: config.S3_PREFIX, clock, log }),
    retryFailed: createRetryFailed({ batches: store.batches, nudge }),
    resendDelivery: createResendDelivery({ deliveries: store.deliveries, producer, clock, log }),
    recoverEndpoint: createRecoverEndpoint({ store, nudge, clock, log }),
    previewBulk: createBulkPreview({ store, clock }),
    decideSuspects: createDecideSuspects({ store, producer, clock, log }),
    restored: createRestored({ store, nudge, clock }),
  };
}
