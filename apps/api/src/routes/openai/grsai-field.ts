import { ChatJob } from '@grsai-jobs/jobs';
import { z } from 'zod';
import type { FieldError } from '../../validation/validate.ts';
import { tryValidate } from '../../validation/validate.ts';

/** What only this service knows, in the field `grsai` of a body: the fields that every job has beside its input. */
const { webhook, metadata, priority, expires_in_s, max_attempts, on_unknown_submit, output } = ChatJob.shape;
const GrsaiField = z.strictObject({
  webhook,
  metadata,
  priority,
  expires_in_s,
  max_attempts,
  on_unknown_submit,
  output,
  attach: z.enum(['auto', 'never']).default('auto'),
});

/** The fields of the job beside its input, from `metadata` and `grsai` of a body; what is ours wins. */
export function jobFields(body: Readonly<Record<string, unknown>>): {
  fields: Record<string, unknown>;
  attach: boolean;
  errors: FieldError[];
} {
  const { grsai = {}, metadata } = body;
  const read = tryValidate(GrsaiField, grsai);
  if ('errors' in read)
    return { fields: {}, attach: true, errors: read.errors.map((error) => ({ ...error, pointer: `/grsai${error.pointer}` })) };
  const { metadata: own, attach: how, ...fields } = read.data;
  const attach = how === 'auto';
  if (metadata === undefined) return { fields: { ...fields, metadata: own }, attach, errors: [] };
  const isObject = typeof metadata === 'object' && !Array.isArray(metadata);
  return { fields: { ...fields, metadata: isObject ? { ...(metadata as object), ...own } : metadata }, attach, errors: [] };
}
