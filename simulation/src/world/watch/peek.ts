import type { SortedSet } from '../../redis/data/sorted-set.ts';
import type { Store } from '../../redis/data/store.ts';

const NOTHING: ReadonlyMap<string, string> = new Map();

/** One key that is looked at again and again, so that its name is put together once. */
export class Place {
  readonly name: string;
  readonly #key: string;
  readonly #store: Store;

  constructor(store: Store, tag: string, name: string) {
    this.#store = store;
    this.#key = tag + name;
    this.name = name;
  }

  fields(): ReadonlyMap<string, string> {
    return this.#store.get(this.#key, 'hash')?.value.fields ?? NOTHING;
  }

  set(): SortedSet | undefined {
    return this.#store.get(this.#key, 'zset')?.value.set;
  }

  score(member: string): number | undefined {
    return this.set()?.score(member);
  }
}

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

  place(name: string): Place {
    return new Place(this.#store, this.#tag, name);
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
    const names: string[] = [];
    for (const { key } of this.#store.all()) {
      const name = this.nameOf(key);
      if (name !== null) names.push(name);
    }
    return names;
  }
}
