import type { CallEnd } from './cost/settlement.ts';
import type { JobDoc } from './doc.ts';
import type { JobRecord } from './job/job.ts';
import { mayRepeatFailed } from './retry-table.ts';

/** The request with one of its models: 0 is that of its input, then its `fallback_models` in their order. */
export function onModel(doc: JobDoc, at: number): JobDoc {
  const asked = doc.asked_model ?? doc.input.model;
  const model = at === 0 ? asked : (doc.fallback_models?.[at - 1] ?? asked);
  if (model === doc.input.model) return doc;
  const { asked_model: _, ...rest } = doc;
  return { ...rest, input: { ...doc.input, model }, ...(model === asked ? {} : { asked_model: asked }) } as JobDoc;
}

/** Which of its models a request is with. */
export const modelAt = ({ asked_model, input, fallback_models = [] }: JobDoc): number =>
  asked_model === undefined ? 0 : fallback_models.indexOf(input.model) + 1;

/** The price of a call with each of its models; `null`: none is known. */
export const priceAt = ({ doc, price }: Pick<JobRecord, 'doc' | 'price'>, at: number) =>
  doc.fallback_prices === undefined ? price : (doc.fallback_prices[at] ?? null);

/**
 * The model that a run goes on with when the one that it has takes no calls, or has used up its attempts; `null`: there is none, or the last call may have
 * to be paid for, and its caller did not allow another.
 */
export function nextModel(job: Pick<JobRecord, 'doc' | 'price'>, callEnd: CallEnd): number | null {
  const at = modelAt(job.doc) + 1;
  if (job.doc.fallback_models?.[at - 1] === undefined) return null;
  const made = callEnd === 'made' || callEnd === 'violation' || callEnd === 'perhaps_violation';
  const failed = callEnd === 'failed' || callEnd === 'perhaps_failed';
  // A chat leaves nothing upstream, and is repeated anyway.
  const allowed = callEnd !== 'unknown' || job.doc.type === 'chat' || job.doc.on_unknown_submit === 'resubmit';
  return made || !allowed || (failed && !mayRepeatFailed(job)) ? null : at;
}
