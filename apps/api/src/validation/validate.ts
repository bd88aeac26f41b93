import type { z } from 'zod';

/** One wrong field; `pointer` is a JSON pointer into the body, or into the line of it that is named (RFC 6901). */
export interface FieldError {
  line?: number;
  custom_id?: string | null;
  pointer: string;
  message: string;
  /** For programs, where there is more to say than that it is wrong. */
  code?: string;
}

/** What a length is counted in, by what has it. */
const UNITS: Readonly<Record<string, string>> = { string: 'characters', array: 'items', set: 'items', map: 'entries' };

const bound = (way: 'most' | 'least', limit: number | bigint, origin: string): string => {
  const unit = UNITS[origin];
  if (unit === undefined) return `must be at ${way} ${limit}`;
  return way === 'least' && Number(limit) === 1 ? 'must not be empty' : `must have at ${way} ${limit} ${unit}`;
};

const ARTICLES: Readonly<Record<string, string>> = { array: 'a list', object: 'an object', int: 'a whole number' };
const aKindOf = (type: string): string => ARTICLES[type] ?? `a ${type}`;

const oneOf = (values: readonly unknown[]): string =>
  values.length === 1 ? `must be ${values[0]}` : `must be one of ${values.join(', ')}`;

/**
 * What is wrong with a field, in words that say what to send. Of the checks whose schema has words of its own those are
 * told instead.
 */
const fieldMessage: z.core.$ZodErrorMap = (issue) => {
  const isMissing = issue.input === undefined;
  switch (issue.code) {
    case 'invalid_type':
      return isMissing ? 'is required' : `must be ${aKindOf(issue.expected)}`;
    case 'invalid_value':
      return `${isMissing ? 'is required and ' : ''}${oneOf(issue.values)}`;
    case 'invalid_union':
      return Array.isArray(issue.options) ? oneOf(issue.options) : undefined;
    case 'too_big':
      return bound('most', issue.maximum, issue.origin);
    case 'too_small':
      return bound('least', issue.minimum, issue.origin);
    default:
      return undefined;
  }
};

/** Longer names of fields are shown by their beginning: an answer is not to grow with what was sent. */
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

/** Checks a value against its schema and says what is wrong with it, with a JSON pointer for each wrong field. */
export function tryValidate<T extends z.ZodType>(schema: T, value: unknown): { data: z.output<T> } | { errors: FieldError[] } {
  const parsed = schema.safeParse(value, { error: fieldMessage });
  return parsed.success ? { data: parsed.data } : { errors: parsed.error.issues.flatMap((issue) => flatten(issue)) };
}
