import { z } from 'zod';

/** Thrown when the environment is not usable. Its message lists every problem and no value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** The environment of a process, as `main.ts` hands it in. */
export type Env = Readonly<Record<string, string | undefined>>;

/**
 * Reads one zod schema from the environment. All problems are told at once, by variable name; an empty variable
 * counts as not set. No value is ever part of the message, since it may be a secret.
 */
export function readConfig<T extends z.ZodObject>(schema: T, env: Env): z.output<T> {
  const given: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = env[name];
    if (value !== undefined && value !== '') given[name] = value;
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? 'environment');
    const missing = issue.code === 'invalid_type' && !(name in given);
    const about = (schema.shape[name] as z.ZodType | undefined)?.description;
    return `  ${name}: ${missing ? 'is required' : issue.message}${about ? ` (${about})` : ''}`;
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

/** A switch: exactly `true` or `false`. */
export const flag = (fallback: boolean) =>
  z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .default(fallback ? 'true' : 'false')
    .transform((value) => value === 'true');

/** A whole number within limits. */
export const integer = (min: number, max: number, fallback: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`))
    .default(fallback);

/** A limit that can be switched off: a whole number within limits, or `off` or 0, which read as 0. Off by default. */
export const integerOrOff = (min: number, max: number) =>
  z
    .string()
    .default('off')
    .transform((value) => (value === 'off' ? '0' : value))
    .pipe(z.string().regex(/^\d+$/, `must be off or a whole number from ${min} to ${max}`))
    .transform(Number)
    .refine((value) => value === 0 || (value >= min && value <= max), `must be off or from ${min} to ${max}`);

/** A comma-separated list; spaces around items do not matter. */
export const list = (fallback: readonly string[] = []) =>
  z
    .string()
    .transform((value) =>
      value
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== ''),
    )
    .default([...fallback]);

const UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2 };

/** A size such as `20mb`, `512kb` or `1000b`; the answer is in bytes (1 kb = 1024). */
export const byteSize = (fallback: string) =>
  z
    .string()
    .regex(/^\d+(b|kb|mb)$/i, 'must be a size such as 20mb or 512kb')
    .default(fallback)
    .transform((value) => Number.parseInt(value, 10) * (UNITS[value.replace(/^\d+/, '').toLowerCase()] ?? 1));
