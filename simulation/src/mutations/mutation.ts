/** One change of the product that breaks a promise. It is made in the memory of the process that lives with it, never in a file. */
export interface Mutation {
  /** From the root of the repository. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly put: string;
  /** What callers or operators lose by it. */
  readonly breaks: string;
  /** Why no life can show it, where that is so. */
  readonly unseen?: string;
}

/** The text with the mutation made. @throws when what is to be found does not stand there exactly once. */
export function mutated(text: string, { file, find, put }: Mutation): string {
  const times = text.split(find).length - 1;
  if (times !== 1) throw new Error(`${file} has this ${times} times, not once: ${find}`);
  return text.replace(find, () => put);
}
