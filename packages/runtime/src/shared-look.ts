/**
 * One look for everybody who asks within `forMs` of its beginning, or while it is open: however many ask, and however often, what it costs
 * others stays the same. What it came to is shared, a failure as well.
 */
export function sharedLook<T>(forMs: number, look: () => Promise<T>): () => Promise<T> {
  let last: { readonly answer: Promise<T>; readonly at: number; open: boolean } | undefined;
  return () => {
    const now = performance.now();
    if (last !== undefined && (last.open || now - last.at < forMs)) return last.answer;
    const current = { answer: look(), at: now, open: true };
    const over = () => {
      current.open = false;
    };
    current.answer.then(over, over);
    last = current;
    return current.answer;
  };
}
