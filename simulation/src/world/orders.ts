import { type JobDoc, JobRequest } from '@grsai-jobs/jobs';
import type { Random } from '../random.ts';
import { FALLBACKS } from './prices.ts';
import { promptOf } from './upstream.ts';

/** What a caller wants once, and what has become of it as far as the caller knows. */
export interface Order {
  /** Stands in its prompt, so that the ledgers of upstream and receivers can be held against it. */
  readonly name: string;
  readonly tenant: string;
  readonly request: JobRequest;
  /** The job that it became. A second one for the same key would be a fault. */
  jobId: string | null;
  /** The caller has asked for it to be canceled. */
  canceled: boolean;
  /** Its caller has said that it may be submitted again whatever was paid for. */
  maySubmitAgain: boolean;
  /** Runs after the first. */
  runs: number;
  /** Those of them that were begun from the start. Each submits once more. */
  begunAgain: number;
  /** Its caller has asked for that, and maybe had an answer that says so. */
  mayBeDeleted: boolean;
  isDeleted: boolean;
}

/** How unlike what callers send is. */
export interface Mix {
  readonly images: number;
  readonly generations: number;
  readonly resubmit: number;
  readonly webhooks: number;
  /** Those that expire while their tasks run. */
  readonly expires: number;
  /** Chats whose input is so large that it is an object of its own. */
  readonly large: number;
  /** Those that name other models, for when theirs takes no calls. */
  readonly fallbacks: number;
  /** Chats that are not to be called twice. */
  readonly once: number;
  /** Those that may be tried once, or often, and images that are made again after a failure always or never. */
  readonly attempts: number;
  /** Those whose callers want to hear of some events only, or of all. */
  readonly events: number;
}

/** Chats that are alike, and want nothing. */
export const NO_MIX: Mix = {
  ...{ images: 0, generations: 0, resubmit: 0, webhooks: 0, expires: 0, large: 0, fallbacks: 0 },
  ...{ once: 0, attempts: 0, events: 0 },
};

/** More bytes than a record holds, in fewer characters than a text may have. */
const MUCH = '灯'.repeat(12_000);

export function orderOf(name: string, tenant: string, mix: Mix, random: Random): Order {
  const prompt = promptOf(name);
  const isImage = random.chance(mix.images);
  const content = !isImage && random.chance(mix.large) ? prompt + MUCH : prompt;
  const own = random.fork('more');
  const events = own.chance(mix.events)
    ? {
        events: own.pick([
          ['job.succeeded'],
          ['job.failed', 'job.expired'],
          ['job.started', 'job.progress', 'job.succeeded', 'job.failed', 'job.canceled', 'job.expired'],
          ['job.started', 'job.progress'],
        ]),
      }
    : {};
  const webhook = random.chance(mix.webhooks) ? { webhook: { url: `https://${tenant}.receiver.example/hook`, ...events } } : {};
  const request = JobRequest.parse({
    ...(isImage
      ? {
          type: 'image',
          input: { model: 'nano-banana-2', prompt },
          ...(random.chance(mix.generations) ? { via: 'generations' } : {}),
        }
      : { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content }] } }),
    metadata: { order: `[${name}]` },
    ...webhook,
    ...(isImage && random.chance(mix.resubmit) ? { on_unknown_submit: 'resubmit' } : {}),
    ...(random.chance(mix.expires) ? { expires_in_s: random.whole(60, 120) } : {}),
    ...(!isImage && own.chance(mix.once) ? { on_unknown_submit: 'fail' } : {}),
    ...(own.chance(mix.attempts) ? { max_attempts: own.pick([1, 2, 10]) } : {}),
    ...(isImage && own.chance(mix.attempts) ? { resubmit_failed: own.pick(['never', 'always']) } : {}),
    priority: random.pick(['high', 'normal', 'normal', 'normal', 'low'] as const),
    ...(random.chance(mix.fallbacks) ? { fallback_models: [...FALLBACKS[isImage ? 'image' : 'chat']] } : {}),
  });
  return {
    name,
    tenant,
    request,
    jobId: null,
    canceled: false,
    maySubmitAgain: false,
    runs: 0,
    begunAgain: 0,
    mayBeDeleted: false,
    isDeleted: false,
  };
}

/** The order that a job was made for. */
export const orderNameOf = ({ metadata }: Pick<JobDoc, 'metadata'>): string =>
  /^\[(.+)\]$/.exec(String(metadata?.['order']))?.[1] ?? '';
