import { createInterface } from 'node:readline/promises';
import type { Context } from './context.ts';
import { CliError, usage } from './exit.ts';

/** Asks before something that cannot be undone. Where nobody can be asked, `--yes` has to be there. */
export async function confirm({ host }: Context, question: string, yes: boolean | undefined): Promise<boolean> {
  if (yes) return true;
  if (!host.stdin.isTTY || !host.stderr.isTTY) throw usage(`${question} Give --yes: nobody can be asked here`);
  const asked = createInterface({ input: host.stdin, output: host.stderr });
  try {
    return await new Promise<boolean>((resolve, reject) => {
      // On a terminal in raw mode Ctrl-C is a key and no signal; Ctrl-D leaves the question open for ever.
      asked.on('SIGINT', () => reject(new CliError('interrupted', '\nNothing was done.')));
      asked.on('close', () => resolve(false));
      asked.question(`${question} [y/N] `).then((answer) => resolve(/^y(es)?$/i.test(answer.trim())), reject);
    });
  } finally {
    asked.close();
  }
}
