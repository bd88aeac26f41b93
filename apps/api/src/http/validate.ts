import { withoutNulls } from '@grsai-jobs/jobs';
import type { z } from 'zod';
import { fieldMessage } from './field-message.ts';
import { type FieldError, Problem } from './problem.ts';

/** Longer names of fields are told by their beginning: an answer is not to grow with what was sent. */
const NAME_TOLD = 128;
/** Of the unknown fields of one object. */
const KEYS_TOLD = 100;

function nameOf(key: PropertyKey): string {
  const name = String(key);
  return name.length > NAME_TOLD ? `${name.slice(0, NAME_TOLD).toWellFormed()}…` : name;
}

const pointerOf = (path: readonly PropertyKey[]): string =>
  path.map((key) => `/${nameOf(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

type Branch = readonly z.core.$ZodIssue[];

const depthOf = (branch: Branch): number => Math.max(0, ...branch.map((each) => each.path.length));
/** The value is of the type that this branch takes, and something else is wrong with it. */
const isOfType = (branch: Branch): boolean => branch.some(({ code }) => code !== 'invalid_type');

/** Of the branches of a union the one that came furthest says best what was meant. */
function flatten(issue: z.core.$ZodIssue, base: readonly PropertyKey[] = []): FieldError[] {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, KEYS_TOLD).map((key) => ({ pointer: pointerOf([...path, key]), message: 'unknown field' }));
  }
  if (issue.code === 'invalid_key' && issue.issues[0] !== undefined)
    return [{ pointer: pointerOf(path), message: issue.issues[0].message }];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const best = [...issue.errors].sort((a, b) => depthOf(b) - depthOf(a) || Number(isOfType(b)) - Number(isOfType(a)))[0] ?? [];
    if (depthOf(best) > 0 || isOfType(best)) return best.flatMap((each) => flatten(each, path));
  }
  return [{ pointer: pointerOf(path), message: issue.message }];
}

/** Checks a value against its schema and tells what is wrong with it, with a JSON pointer for each wrong field. */
export function tryValidate<T extends z.ZodType>(schema: T, value: unknown): { data: z.output<T> } | { errors: FieldError[] } {
  const parsed = schema.safeParse(value, { error: fieldMessage });
  return parsed.success ? { data: parsed.data } : { errors: parsed.error.issues.flatMap((issue) => flatten(issue)) };
}

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
