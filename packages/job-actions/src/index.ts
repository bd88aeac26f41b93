export { type Meant, nextMeant } from './bulk/selection.ts';
export { type BulkVerdict, bulkVerdict } from './bulk/verdict.ts';
export { type Canceled, type CancelJob, createCancelJob } from './cancel-job.ts';
export { type ChangeDeps, changeJob } from './change-job.ts';
export { endLine } from './end-of-run.ts';
export { holdSuspects } from './hold-suspects.ts';
export { createReopenJob, type Reopened, type ReopenJob } from './reopen-job.ts';
