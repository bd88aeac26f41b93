/** The environment of a process, as `main.ts` hands it in. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Variables that the AWS SDK reads by itself. */
export const AWS_NAMES = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_PROFILE',
  'AWS_REGION',
] as const;

/**
 * The value of a variable as it was meant: without spaces, tabs, line ends (a mounted secret) and byte order marks around it.
 * `undefined` when it is not set, or empty. The first name of a file that begins with a byte order mark carries it.
 */
export function tidied(env: Env, name: string): string | undefined {
  const value = (env[name] ?? env[`\uFEFF${name}`])?.trim();
  return value === '' ? undefined : value;
}

/** Tidies, in place, what is read by others than us; an empty value goes, so that it is not taken for one. */
export function tidyForeign(env: Record<string, string | undefined>): void {
  for (const name of AWS_NAMES) {
    const value = tidied(env, name);
    if (value === undefined) delete env[name];
    else env[name] = value;
  }
}

/** What is right in no variable at all, and what to write instead. */
const NEVER: readonly (readonly [RegExp, string])[] = [
  [/^["'`“”„‘’«»]/u, 'stands in quotes, which are taken as a part of it here: write it without them'],
  [
    /^\$(\{[^}]*\}|\([^)]*\)|\w+)$/,
    'is the name of a variable or command that nobody has put its value for: write the value itself',
  ],
  [/[\p{Cc}\p{Zl}\p{Zp}]/u, 'has a line break, a tab or another control character inside: write it in one line'],
  [/[\p{Cf}\u00A0]/u, 'has an invisible character inside (copied from a page or a document?): type it anew'],
];

/** What is wrong with a value whatever it is for; `undefined` when nothing is. It never repeats the value. */
export function commonProblem(name: string, value: string): string | undefined {
  if (value.startsWith(`${name}=`)) return 'begins with its own name: write only what stands behind the =';
  return NEVER.find(([wrong]) => wrong.test(value))?.[1];
}
