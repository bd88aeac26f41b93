import { ApiProblem } from './api/problem.ts';
import type { Context } from './context.ts';
import type { Exit } from './exit.ts';

/** Does the same to each id; one that is refused is told, and the others are done all the same. */
export async function forEachId(context: Context, ids: readonly string[], act: (id: string) => Promise<void>): Promise<Exit> {
  let exit: Exit = 'ok';
  for (const id of ids) {
    try {
      await act(id);
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      context.progress.note(`${id}: ${error.describe()}`);
      exit = error.exit;
    }
  }
  return exit;
}
