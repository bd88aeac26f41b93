import type { SortedSet } from '../../redis/data/sorted-set.ts';
import type { Store } from '../../redis/data/store.ts';

const NOTHING: ReadonlyMap<string, string> = new Map();

/** What stands in Redis under the keys of the job records, looked at from outside of time. */
export class Peek {
  readonly #store: Store;
  readonly #tag: string;

  constructor(store: Store, prefix: string) {
    this.#store = store;
    this.#tag = `{${prefix}}:`;
  }

  /** The name of a key without the tag that all of them have; `null`: it is not one of them. */
  nameOf(key: string): string | null {
    return key.startsWith(this.#tag) ? key.slice(this.#tag.length) : null;
  }

  /** The fields of a hash. One that is not there has none. */
  fields(name: string): ReadonlyMap<string, string> {
    return this.#store.get(this.#tag + name, 'hash')?.value.fields ?? NOTHING;
  }

  set(name: string): SortedSet | undefined {
    return this.#store.get(this.#tag + name, 'zset')?.value.set;
  }

  score(name: string, member: string): number | undefined {
    return this.set(name)?.score(member);
  }

  has(name: string): boolean {
    return this.#store.find(this.#tag + name) !== undefined;
  }

  text(name: string): string | undefined {
    return this.#store.get(this.#tag + name, 'string')?.value.text;
  }

  /** The items of a list. */
  list(name: string): readonly string[] {
    return this.#store.get(this.#tag + name, 'list')?.value.items ?? [];
  }

  /** All keys that there are, without their tag. */
  names(): string[] {
    return this.#store.all().flatMap(({ key }) => this.nameOf(key) ?? []);
  }
}
