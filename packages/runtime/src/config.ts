import { z } from 'zod';
import { AWS_NAMES, commonProblem, type Env, tidied } from './environment.ts';

/** Thrown when the environment is not usable. Its message lists every problem and no value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads one zod schema from the environment. Values are trimmed, an empty one counts as not set. All problems are reported at
 * once, by variable name; no value is ever part of the message, since it may be a secret.
 */
export function readConfig<T extends z.ZodObject>(schema: T, env: Env): z.output<T> {
  const given: Record<string, string> = {};
  const problems = new Map<string, Set<string>>();
  const note = (name: string, problem: string) => problems.set(name, (problems.get(name) ?? new Set()).add(problem));
  for (const name of [...Object.keys(schema.shape), ...AWS_NAMES]) {
    const value = tidied(env, name);
    if (value === undefined) continue;
    const problem = commonProblem(name, value);
    if (problem !== undefined) note(name, problem);
    if (name in schema.shape) given[name] = value;
  }
  const parsed = schema.safeParse(given);
  if (parsed.success && problems.size === 0) return parsed.data;
  const common = new Set(problems.keys());
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0] ?? 'environment');
    const missing = issue.code === 'invalid_type' && !(name in given);
    // What is wrong with every value explains what is wrong with this one.
    if (!common.has(name)) note(name, missing ? 'is required' : issue.message);
  }
  const lines = [...problems].map(([name, wrong]) => {
    const about = (schema.shape[name] as z.ZodType | undefined)?.description;
    return `  ${name}: ${[...wrong].join('; ')}${about ? ` (${about})` : ''}`;
  });
  throw new ConfigError(`The configuration has ${lines.length} problem${lines.length === 1 ? '' : 's'}:\n${lines.join('\n')}`);
}

/** A line for each variable of a schema, in its order: name, what it is, and its default or that it is required. */
export function tellVariables(schema: z.ZodObject): string {
  const variables = Object.entries(schema.shape) as [string, z.ZodType][];
  const width = Math.max(...variables.map(([name]) => name.length)) + 2;
  const without = (variable: z.ZodType): string => {
    const fallback = String(defaultOf(variable) ?? '');
    if (fallback !== '') return `default ${fallback}`;
    return variable.safeParse(undefined).success ? 'default none' : 'required';
  };
  return variables
    .map(([name, variable]) => `  ${name.padEnd(width)}${variable.description ?? ''} (${without(variable)})`)
    .join('\n');
}

/** The default as it would be written in the environment. */
function defaultOf(schema: z.core.$ZodType): unknown {
  if (schema instanceof z.ZodDefault) return schema.def.defaultValue;
  return schema instanceof z.ZodPipe ? defaultOf(schema.def.in) : undefined;
}
