import type { Clock } from '@grsai-jobs/runtime';

/** Asks once for all who want to know at a time, and believes the answer for a while. `ask` does not reject. */
export function believed<T>(clock: Clock, forMs: number, ask: () => Promise<T>): () => Promise<T> {
  let open: Promise<T> | undefined;
  let last: { readonly at: number; readonly answer: T } | undefined;
  return async () => {
    if (last !== undefined && clock.now() - last.at < forMs) return last.answer;
    open ??= ask()
      .then((answer) => {
        last = { at: clock.now(), answer };
        return answer;
      })
      .finally(() => {
        open = undefined;
      });
    return await open;
  };
}
