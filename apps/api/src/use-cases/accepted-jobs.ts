import type { JobStore } from '@grsai-jobs/job-store';
import type { Producer } from '@grsai-jobs/queue';
import { redisTrouble } from '@grsai-jobs/redis';
import { createRecentTexts, type Logger, type Timers } from '@grsai-jobs/runtime';

type Create = JobStore['transitions']['create'];
type NewJob = Parameters<Create>[0];

/** What a primary may have forgotten is at most so old: a replica that lags by more is none that anybody would choose. */
const KEEP_MS = 60_000;
/** Of a process that accepts more in that time the oldest go first: room for some 18 000 small requests. */
const KEEP_BYTES = 16 * 1024 * 1024;
const AT_ONCE = 20;
const AGAIN_MS = 500;

/** Before the text of a job: whether Redis has said that it was accepted. */
const ACCEPTED = '+';
const UNKNOWN = '?';

// It needed no more of its tenant once it was accepted. One that nobody was told of may have been refused: what its tenant may have still holds.
function jobOf(text: string): NewJob {
  const { allowance, ...known } = JSON.parse(text.slice(1)) as NewJob;
  return text.startsWith(UNKNOWN) && allowance !== undefined ? { ...known, allowance } : known;
}

/**
 * The jobs that this process has accepted of late, or may have. After a failover that has forgotten one of them it is made once more, with the
 * Idempotency-Key of its caller, as long as no paid call begins there: later it may have been made and paid for already. What was accepted is
 * made whatever its tenant may have by now; where nobody knows, its limits hold. What cannot be made again is counted in the log.
 */
export function createAcceptedJobs(d: {
  store: {
    transitions: Pick<JobStore['transitions'], 'create'>;
    primary: Pick<JobStore['primary'], 'onChange'>;
    recovery: Pick<JobStore['recovery'], 'look'>;
    jobs: Pick<JobStore['jobs'], 'heads'>;
    erase: Pick<JobStore['erase'], 'askedOf'>;
  };
  producer: Pick<Producer, 'enqueue'>;
  timers: Timers;
  log: Logger;
}): {
  create: Create;
  /** The caller of a job hears that it was accepted, also where the answer to its first request was lost. */
  told(id: string): void;
} {
  const accepted = createRecentTexts({ keepMs: KEEP_MS, mostBytes: KEEP_BYTES, timers: d.timers });

  async function makeAgain(): Promise<void> {
    for (const id of await d.store.erase.askedOf(accepted.all().map(([id]) => id))) accepted.forget(id);
    const jobs = accepted.all();
    const closed = (await d.store.recovery.look({ knew: true })).kind === 'closed';
    const heads = await d.store.jobs.heads(jobs.map(([id]) => id));
    const missing = heads.filter((head) => head === null).length;
    const left = [...jobs];
    let made = 0;
    const next = async (): Promise<void> => {
      for (let job = left.pop(); job !== undefined; job = left.pop()) {
        const created = await d.store.transitions.create(jobOf(job[1]));
        if (created.kind !== 'ok') continue;
        made += 1;
        if (created.message !== null) await d.producer.enqueue(created.message).catch(() => undefined);
      }
    };
    if (closed) await Promise.all(Array.from({ length: AT_ONCE }, next));
    if (missing === 0) return;
    const lost = closed ? 0 : missing;
    d.log[lost > 0 ? 'error' : 'warn'](
      { event: 'jobs.forgotten', accepted: jobs.length, missing, made: closed ? made : 0, lost },
      lost > 0
        ? 'a failover has lost jobs that were accepted'
        : 'a failover had forgotten jobs that were accepted: they are there again',
    );
  }

  let pending = false;
  d.store.primary.onChange(() => {
    if (pending || accepted.all().length === 0) return;
    pending = true;
    const run = async (): Promise<void> => {
      for (let n = 0; n < KEEP_MS / AGAIN_MS; n += 1) {
        try {
          await makeAgain();
          return;
        } catch (err) {
          if (redisTrouble(err) === null) throw err;
          await d.timers.sleep(AGAIN_MS);
        }
      }
    };
    run()
      .catch((err: unknown) => d.log.error({ event: 'jobs.not_looked_for', err }, 'nobody knows what a failover has lost'))
      .finally(() => {
        pending = false;
      });
  });

  return {
    told(id) {
      const text = accepted.get(id);
      if (text?.startsWith(UNKNOWN)) accepted.keep(id, ACCEPTED + text.slice(UNKNOWN.length));
    },
    async create(job) {
      // What is noted of its inputs was used up by the first that was made.
      const { inputs: _, ...known } = job;
      const text = JSON.stringify(known);
      accepted.keep(job.id, UNKNOWN + text);
      try {
        const created = await d.store.transitions.create(job);
        if (created.kind === 'ok') accepted.keep(job.id, ACCEPTED + text);
        else accepted.forget(job.id);
        return created;
      } catch (error) {
        const trouble = redisTrouble(error);
        if (trouble === 'away' || trouble === 'full') accepted.forget(job.id);
        throw error;
      }
    },
  };
}
