import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository, with a slash at the end. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/** The environment as the scripts pass it on. */
export type Env = Readonly<Record<string, string | undefined>>;

/** The value of a variable; an empty one counts as not set, as in the apps. */
export const given = (env: Env, name: string): string | undefined => env[name]?.trim() || undefined;

/** A path as people read it, from the repository. */
export const short = (path: string): string => relative(root, path);
