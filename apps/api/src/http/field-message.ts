import type { z } from 'zod';

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
export const fieldMessage: z.core.$ZodErrorMap = (issue) => {
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
