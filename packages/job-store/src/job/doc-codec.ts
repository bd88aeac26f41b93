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

const leftOut = (type: JobDoc['type']) => (type === 'image' ? LEFT_OUT_OF_IMAGES : LEFT_OUT);

/** Values that are left out, by name, each with its text: objects are compared by theirs. */
const textsOf = (values: Readonly<Record<string, unknown>>): ReadonlyMap<string, { value: unknown; text: string }> =>
  new Map(Object.entries(values).map(([name, value]) => [name, { value, text: JSON.stringify(value) }]));
const TEXTS = { chat: textsOf(LEFT_OUT), image: textsOf(LEFT_OUT_OF_IMAGES) };

/** A request as it stands in its record. */
export function packDoc(doc: JobDoc): string {
  const texts = TEXTS[doc.type];
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(doc)) {
    const usual = texts.get(name);
    const same =
      usual !== undefined && (value === usual.value || (typeof value === 'object' && JSON.stringify(value) === usual.text));
    if (!same) kept[name] = value;
  }
  return JSON.stringify(kept);
}

/** The same request, whole again. */
export function unpackDoc(text: string): JobDoc {
  const kept = JSON.parse(text) as JobDoc;
  return { ...leftOut(kept.type), ...kept };
}
