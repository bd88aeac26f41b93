import { GrsaiJobsError } from '@grsai-jobs/client';
import type { Context } from './context.ts';
import { CliError, type Exit } from './exit.ts';
import { describe, exitOf } from './refusal.ts';

/** Does the same to each id; one that is refused is reported, and the others are done all the same. */
export async function forEachId(context: Context, ids: readonly string[], act: (id: string) => Promise<void>): Promise<Exit> {
  let exit: Exit = 'ok';
  for (const id of ids) {
    try {
      await act(id);
    } catch (error) {
      const refused = refusalOf(error);
      if (refused === null) throw error;
      context.progress.note(`${id}: ${refused.text}`);
      exit = refused.exit;
    }
  }
  return exit;
}

/** What is wrong with one id; `null` for what stands in the way of the others too, as where there is no answer. */
function refusalOf(error: unknown): { text: string; exit: Exit } | null {
  if (error instanceof CliError && error.exit === 'failed') return { text: error.message, exit: error.exit };
  if (!(error instanceof GrsaiJobsError) || error.status === undefined) return null;
  return { text: describe(error), exit: exitOf(error) };
}
