import type { Bytes } from '../bytes.ts';
import { wrongType } from '../errors.ts';
import { digestOf, joined } from './digest.ts';
import { SortedSet } from './sorted-set.ts';
import { fieldBack, orderBack, scoreBack, textBack } from './undo.ts';
import type { Entry, StreamEntry, StreamValue, TypeName, ValueOf } from './values.ts';

/** What is noted of a key when what it holds is changed. */
type Changed = Pick<Entry, 'key' | 'digest'>;

/** A moment that the store can return to. */
export interface Moment {
  /** How many changes had been made, ever. */
  readonly changes: number;
}

/** Above it the order of a hash is not one that anybody may count on, as in Redis. */
const ORDERED_FIELDS = 512;

/** A power of two. */
const RECENT = 256;

/** Keys of one kind are as long as each other, and differ at their end. */
const slotOf = (key: Bytes): number => {
  const { length } = key;
  return (length + 31 * key.charCodeAt(length - 1) + 7 * key.charCodeAt(length - 3)) & (RECENT - 1);
};

const EMPTY: { readonly [T in TypeName]: () => ValueOf<T> } = {
  string: () => ({ type: 'string', text: '' }),
  hash: () => ({ type: 'hash', fields: new Map() }),
  list: () => ({ type: 'list', items: [] }),
  set: () => ({ type: 'set', members: new Set() }),
  zset: () => ({ type: 'zset', set: new SortedSet() }),
  stream: () => ({ type: 'stream', entries: [], last: { ms: 0, seq: 0 } }),
};

/**
 * Keys and values. All changes go through its methods, each of which notes how it is undone: a moment costs nothing to keep, and the
 * way back costs what was changed since.
 */
export class Store {
  readonly #entries = new Map<Bytes, Entry>();
  /** Keys that were asked for lately, with what stands there, each in a slot of its own. */
  readonly #recentKeys: (Bytes | undefined)[] = new Array(RECENT).fill(undefined);
  readonly #recentEntries: (Entry | undefined)[] = new Array(RECENT).fill(undefined);
  readonly #now: () => number;
  #nextId = 1;
  /** The highest id that was put in, and whether all of them came one after another. */
  #lastId = 0;
  #isInOrder = true;
  /** Whether anything has a time to live: most commands then need not ask. */
  #expiring = 0;
  #undo: (() => void)[] = [];
  /** Changes that came before the first one that can be undone. */
  #forgotten = 0;
  #keeps = false;
  /** Keys that were changed since the last call of {@link takeTouched}. */
  #touched = new Set<Bytes>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Keys that were made, changed or removed since this was asked for last. */
  takeTouched(): ReadonlySet<Bytes> {
    const touched = this.#touched;
    if (touched.size > 0) this.#touched = new Set();
    return touched;
  }

  /** The key with what it holds, if it has not expired. */
  find(key: Bytes): Entry | undefined {
    const entry = this.#lookUp(key);
    if (entry === undefined || entry.expiresAt === null || entry.expiresAt > this.#now()) return entry;
    this.remove(entry);
    return undefined;
  }

  /** A script asks for the same few keys again and again, and a large map is slow: its memory is in no cache of the processor. */
  #lookUp(key: Bytes): Entry | undefined {
    const slot = slotOf(key);
    if (this.#recentKeys[slot] === key) return this.#recentEntries[slot];
    const entry = this.#entries.get(key);
    this.#recentKeys[slot] = key;
    this.#recentEntries[slot] = entry;
    return entry;
  }

  #put(entry: Entry): void {
    if (entry.id > this.#lastId) this.#lastId = entry.id;
    else this.#isInOrder = false;
    this.#touched.add(entry.key);
    this.#entries.set(entry.key, entry);
    this.#recentKeys[slotOf(entry.key)] = undefined;
  }

  #drop(key: Bytes): void {
    this.#touched.add(key);
    this.#entries.delete(key);
    this.#recentKeys[slotOf(key)] = undefined;
  }

  /** @throws {ReplyError} WRONGTYPE when it holds something else. */
  get<T extends TypeName>(key: Bytes, type: T): Entry<T> | undefined {
    const entry = this.find(key);
    if (entry === undefined) return undefined;
    if (entry.value.type !== type) throw wrongType();
    return entry as unknown as Entry<T>;
  }

  /** The same, and made empty where there is none: whoever asks puts something in. */
  getOrMake<T extends TypeName>(key: Bytes, type: T): Entry<T> {
    return this.get(key, type) ?? this.make(key, type);
  }

  make<T extends TypeName>(key: Bytes, type: T): Entry<T> {
    const entry: Entry<T> = { key, id: this.#nextId++, value: EMPTY[type](), expiresAt: null, digest: null };
    this.#put(entry as unknown as Entry);
    if (this.#keeps) this.#undo.push(() => this.#drop(key));
    return entry;
  }

  remove(entry: Entry): void {
    this.#drop(entry.key);
    if (entry.expiresAt !== null) this.#expiring--;
    if (!this.#keeps) return;
    this.#undo.push(() => {
      this.#put(entry);
      if (entry.expiresAt !== null) this.#expiring++;
    });
  }

  /** The value goes to another key, and whatever stood there goes. */
  rename(entry: Entry, key: Bytes): void {
    const there = this.find(key);
    if (there !== undefined) this.remove(there);
    this.remove(entry);
    const renamed: Entry = { ...entry, key, id: this.#nextId++, digest: null };
    this.#put(renamed);
    if (renamed.expiresAt !== null) this.#expiring++;
    if (!this.#keeps) return;
    this.#undo.push(() => {
      this.#drop(key);
      if (renamed.expiresAt !== null) this.#expiring--;
    });
  }

  expire(entry: Entry, at: number | null): void {
    const before = entry.expiresAt;
    this.#setExpiry(entry, at);
    this.#touch(entry);
    if (this.#keeps) this.#keep(entry, () => this.#setExpiry(entry, before));
  }

  #setExpiry(entry: Entry, at: number | null): void {
    this.#expiring += (at === null ? 0 : 1) - (entry.expiresAt === null ? 0 : 1);
    entry.expiresAt = at;
  }

  setText(entry: Entry<'string'>, text: Bytes): void {
    const { value } = entry;
    const before = value.text;
    value.text = text;
    this.#touch(entry);
    if (this.#keeps) this.#keep(entry, textBack(value, before));
  }

  /** Answers whether the field is new. */
  setField(entry: Entry<'hash'>, field: Bytes, text: Bytes): boolean {
    const { fields } = entry.value;
    const before = fields.get(field);
    fields.set(field, text);
    this.#touch(entry);
    if (this.#keeps) this.#keep(entry, fieldBack(fields, field, before));
    return before === undefined;
  }

  removeField(entry: Entry<'hash'>, field: Bytes): boolean {
    const { fields } = entry.value;
    const before = fields.get(field);
    if (before === undefined) return false;
    const order = this.#keeps && fields.size <= ORDERED_FIELDS ? [...fields] : null;
    fields.delete(field);
    this.#touch(entry);
    if (this.#keeps) this.#keep(entry, order === null ? fieldBack(fields, field, before) : orderBack(fields, order));
    return true;
  }

  addMember(entry: Entry<'set'>, member: Bytes): boolean {
    const { members } = entry.value;
    if (members.has(member)) return false;
    members.add(member);
    this.#touch(entry);
    if (this.#keeps) this.#keep(entry, () => members.delete(member));
    return true;
  }

  removeMember(entry: Entry<'set'>, member: Bytes): boolean {
    const { members } = entry.value;
    if (!members.delete(member)) return false;
    this.#touch(entry);
    if (this.#keeps) this.#keep(entry, () => members.add(member));
    return true;
  }

  setScore(entry: Entry<'zset'>, member: Bytes, score: number): void {
    const { set } = entry.value;
    const before = set.put(member, score);
    this.#touch(entry);
    if (this.#keeps) this.#keep(entry, scoreBack(set, member, before));
  }

  removeScored(entry: Entry<'zset'>, member: Bytes): boolean {
    const { set } = entry.value;
    const before = set.remove(member);
    if (before === undefined) return false;
    this.#touch(entry);
    if (this.#keeps) this.#keep(entry, scoreBack(set, member, before));
    return true;
  }

  /** Adds at an end of a list. */
  push(entry: Entry<'list'>, end: 'left' | 'right', item: Bytes): void {
    const { items } = entry.value;
    if (end === 'right') items.push(item);
    else items.unshift(item);
    this.#touch(entry);
    if (this.#keeps) this.#keep(entry, end === 'right' ? () => items.pop() : () => items.shift());
  }

  /** Any other change of a list. */
  replaceItems(entry: Entry<'list'>, items: Bytes[]): void {
    const { value } = entry;
    const before = value.items;
    value.items = items;
    this.#touch(entry);
    if (!this.#keeps) return;
    this.#keep(entry, () => {
      value.items = before;
    });
  }

  append(entry: Entry<'stream'>, added: StreamEntry): void {
    const { value } = entry;
    const before = value.last;
    value.entries.push(added);
    value.last = added;
    this.#touch(entry);
    if (!this.#keeps) return;
    this.#keep(entry, () => {
      value.entries.pop();
      value.last = before;
    });
  }

  /** Entries of a stream go; the ids that it has had stay taken. */
  replaceEntries(entry: Entry<'stream'>, entries: StreamEntry[]): void {
    const value: StreamValue = entry.value;
    const before = value.entries;
    value.entries = entries;
    this.#touch(entry);
    if (!this.#keeps) return;
    this.#keep(entry, () => {
      value.entries = before;
    });
  }

  /** All keys that are there now, in the order in which they were made. */
  all(): Entry[] {
    if (this.#expiring > 0) this.#removeExpired();
    const entries = [...this.#entries.values()];
    return this.#isInOrder ? entries : entries.sort((a, b) => a.id - b.id);
  }

  #removeExpired(): void {
    const now = this.#now();
    for (const entry of this.#entries.values()) if (entry.expiresAt !== null && entry.expiresAt <= now) this.remove(entry);
  }

  /** A moment to return to with {@link returnTo}. From the first one on all changes are kept, until they are forgotten. */
  moment(): Moment {
    this.#keeps = true;
    return { changes: this.#forgotten + this.#undo.length };
  }

  /** Everything that was changed since is undone. Moments in between are no more. */
  returnTo(moment: Moment): void {
    const keep = moment.changes - this.#forgotten;
    if (keep < 0 || keep > this.#undo.length)
      throw new RangeError('this moment was forgotten, or the store has gone back behind it');
    const undo = this.#undo;
    // What is undone is no change of its own.
    this.#keeps = false;
    for (let i = undo.length - 1; i >= keep; i--) undo[i]?.();
    undo.length = keep;
    this.#keeps = true;
  }

  /** Nobody returns to a moment before this one; without one to any. */
  forget(before?: Moment): void {
    const count = before === undefined ? this.#undo.length : before.changes - this.#forgotten;
    if (count < 0 || count > this.#undo.length) throw new RangeError('there is no such moment');
    this.#undo = this.#undo.slice(count);
    this.#forgotten += count;
    this.#keeps = before !== undefined;
  }

  /** The same for the same keys, values and times to live, whatever order they came in. */
  fingerprint(): string {
    const digests = this.all().map((entry) => {
      entry.digest ??= digestOf(entry);
      return entry.digest;
    });
    return joined(digests);
  }

  #touch(entry: Changed): void {
    entry.digest = null;
    this.#touched.add(entry.key);
  }

  #keep(entry: Changed, undo: () => void): void {
    this.#undo.push(() => {
      entry.digest = null;
      undo();
    });
  }
}
