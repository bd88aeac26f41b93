import type { Random } from '../random.ts';

/** Files of results that can never be had: they are gone from the beginning, or are no picture. */
export class BrokenFiles {
  readonly #as = new Map<string, 'gone' | 'text'>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Some of these are, as often as that is said. */
  breakSome(links: readonly string[], often: number): void {
    for (const link of links)
      if (often > 0 && this.#random.chance(often)) this.#as.set(link, this.#random.pick(['gone', 'text']));
  }

  has(link: string): boolean {
    return this.#as.has(link);
  }

  /** What comes in the place of its bytes; `undefined`: it is whole. */
  bytesOf(link: string): Uint8Array | null | undefined {
    const as = this.#as.get(link);
    if (as === undefined) return undefined;
    return as === 'gone' ? null : Buffer.from('no picture at all, '.repeat(20));
  }
}
