import { z } from 'zod';

/** A time as callers send it. */
export const time = z.iso.datetime({ offset: true, error: 'must be an RFC 3339 time such as 2026-01-31T08:00:00Z' });

/** Why an operator does something; stands in the audit log. */
export const Reason = z
  .string()
  .trim()
  .min(1, 'say why, in 1 to 500 characters')
  .max(500, 'say why, in 1 to 500 characters')
  .describe('why; it stands in the audit log')
  .meta({ example: 'upstream is well again' });
