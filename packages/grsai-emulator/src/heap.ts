/** A binary min-heap: who ends next is known without a timer for each. */
export class MinHeap<T> {
  readonly #items: { key: number; value: T }[] = [];

  get size(): number {
    return this.#items.length;
  }

  push(key: number, value: T): void {
    const items = this.#items;
    items.push({ key, value });
    for (let i = items.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!this.#below(i, parent)) return;
      this.#swap(i, parent);
      i = parent;
    }
  }

  /** Takes out the smallest when its key is at most `limit`. */
  popUpTo(limit: number): T | undefined {
    const top = this.#items[0];
    if (top === undefined || top.key > limit) return undefined;
    const last = this.#items.pop();
    if (last !== undefined && last !== top) {
      this.#items[0] = last;
      this.#sink();
    }
    return top.value;
  }

  clear(): void {
    this.#items.length = 0;
  }

  #sink(): void {
    for (let i = 0; ; ) {
      const left = 2 * i + 1;
      const right = left + 1;
      let least = i;
      if (this.#below(left, least)) least = left;
      if (this.#below(right, least)) least = right;
      if (least === i) return;
      this.#swap(i, least);
      i = least;
    }
  }

  #below(a: number, b: number): boolean {
    const [first, second] = [this.#items[a], this.#items[b]];
    return first !== undefined && second !== undefined && first.key < second.key;
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#items[a], this.#items[b]];
    if (first === undefined || second === undefined) return;
    this.#items[a] = second;
    this.#items[b] = first;
  }
}
