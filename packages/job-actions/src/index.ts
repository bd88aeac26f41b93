export { type Canceled, type CancelJob, createCancelJob } from './cancel-job.ts';
export { createReopenJob, type Reopened, type ReopenJob } from './reopen-job.ts';
