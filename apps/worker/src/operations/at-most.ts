/**
 * Runs `run` at most `most` times at once in this process; one more is passed over, and what it would have found is found by the
 * next. However long a run hangs, in an upstream or an object store that is silent, it takes no more slots than these.
 */
export function atMost(most: number, run: () => Promise<void>): () => Promise<void> {
  let open = 0;
  return async () => {
    if (open === most) return;
    open += 1;
    await run().finally(() => {
      open -= 1;
    });
  };
}
