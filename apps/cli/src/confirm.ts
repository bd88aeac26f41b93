import { createInterface } from 'node:readline/promises';
import type { Context } from './context.ts';
import { usage } from './exit.ts';

/** Asks before something that cannot be undone. Where nobody can be asked, `--yes` has to be there. */
export async function confirm({ host }: Context, question: string, yes: boolean | undefined): Promise<boolean> {
  if (yes) return true;
  if (!host.stdin.isTTY || !host.stderr.isTTY) throw usage(`${question} Give --yes: nobody can be asked here`);
  const asked = createInterface({ input: host.stdin, output: host.stderr });
  try {
    const answer = await asked.question(`${question} [y/N] `, { signal: host.interrupt });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    asked.close();
  }
}
