import { GrsaiJobs, GrsaiJobsError, InvalidRequestError, JobFailedError } from '@grsai-jobs/client';

const client = new GrsaiJobs();
for (const model of ['no-such-model', 'not a model']) {
  try {
    await client.jobs.run({ type: 'image', input: { model, prompt: 'a paper boat' } });
  } catch (error) {
    // The job was taken and ended otherwise: error.job has all that is known of it.
    if (error instanceof JobFailedError) console.log(error.job.status, error.code, error.retryable);
    // Nothing was taken: error.errors names the fields.
    else if (error instanceof InvalidRequestError) console.log(error.status, error.code, error.errors[0]?.pointer);
    // No answer in spite of all retries, a wrong key, a limit.
    else if (error instanceof GrsaiJobsError) console.log(error.name, error.code, error.requestId);
    else throw error;
  }
}
