import type { JobDoc } from '@grsai-jobs/jobs';

/**
 * What most requests leave to its default is not written into each of fifty thousand records. These values are part of
 * how records stand in Redis and so must never change, even when the default of the API does.
 */
const LEFT_OUT: Readonly<Record<string, unknown>> = {
  metadata: {},
  priority: 'normal',
  expires_in_s: 86_400,
  max_attempts: 4,
  output: { url_ttl_s: 86_400 },
};
const LEFT_OUT_OF_IMAGES = { ...LEFT_OUT, via: 'generate', resubmit_failed: 'auto' };

const same = (a: unknown, b: unknown): boolean => a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));

const leftOut = (type: JobDoc['type']) => (type === 'image' ? LEFT_OUT_OF_IMAGES : LEFT_OUT);

/** A request as it stands in its record. */
export function packDoc(doc: JobDoc): string {
  const kept: Record<string, unknown> = { ...doc };
  for (const [name, value] of Object.entries(leftOut(doc.type))) {
    if (same(kept[name], value)) kept[name] = undefined;
  }
  return JSON.stringify(kept);
}

/** The same request, whole again. */
export function unpackDoc(text: string): JobDoc {
  const kept = JSON.parse(text) as JobDoc;
  return { ...leftOut(kept.type), ...kept };
}
