import { GrsaiJobsError } from '@grsai-jobs/client';
import type { Context } from './context.ts';
import type { Exit } from './exit.ts';
import { describe, exitOf } from './refusal.ts';

/** Does the same to each id; one that is refused is reported, and the others are done all the same. */
export async function forEachId(context: Context, ids: readonly string[], act: (id: string) => Promise<void>): Promise<Exit> {
  let exit: Exit = 'ok';
  for (const id of ids) {
    try {
      await act(id);
    } catch (error) {
      // Without an answer the others would have none either.
      if (!(error instanceof GrsaiJobsError) || error.status === undefined) throw error;
      context.progress.note(`${id}: ${describe(error)}`);
      exit = exitOf(error);
    }
  }
  return exit;
}
