import { withoutNulls } from '@grsai-jobs/jobs';
import type { z } from 'zod';
import { type FieldError, tryValidate } from '../validation/validate.ts';
import { Problem } from './problem.ts';

/**
 * Checks a body against its schema.
 * @throws Problem `invalid_request` with a JSON pointer for each wrong field.
 */
export function validate<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = tryValidate(schema, value);
  if ('data' in result) return result.data;
  throw invalid(result.errors);
}

/** The same for a body in which null says nothing else than that a field is not set. */
export const validateBody = <T extends z.ZodType>(schema: T, body: unknown): z.output<T> => validate(schema, withoutNulls(body));

/** The refusal names the first wrong field in `detail` already: many clients and logs show no more than that. */
export function invalid(errors: readonly FieldError[]): Problem {
  const fields = errors.length === 1 ? 'One field is' : `${errors.length} fields are`;
  return new Problem('invalid_request', `${fields} not valid; ${firstOf(errors)}`, { errors: errors.slice(0, 100) });
}

/** What is wrong first, and where, as the end of a sentence that says how much is wrong. */
export function firstOf(errors: readonly FieldError[]): string {
  const [first] = errors;
  if (first === undefined) return 'see errors.';
  // A pointer into a form leads to its item by itself.
  const line = first.line === undefined || first.pointer.startsWith('/items/') ? '' : `line ${first.line}`;
  const place = [line, first.pointer].filter((part) => part !== '').join(' ');
  const head = errors.length === 1 ? '' : 'the first: ';
  return `${head}${place === '' ? '' : `${place}: `}${first.message}`;
}
