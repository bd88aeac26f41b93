import type { Bytes } from '../bytes.ts';
import type { SortedSet } from './sorted-set.ts';

/** One entry of a stream; its id is `<ms>-<seq>`. */
export interface StreamEntry {
  readonly ms: number;
  readonly seq: number;
  readonly fields: readonly Bytes[];
}

export interface StreamValue {
  readonly type: 'stream';
  entries: StreamEntry[];
  /** The highest id that it ever had. */
  last: { readonly ms: number; readonly seq: number };
}

/** What a key can hold. */
export type Value =
  | { readonly type: 'string'; text: Bytes }
  | { readonly type: 'hash'; readonly fields: Map<Bytes, Bytes> }
  | { readonly type: 'list'; items: Bytes[] }
  | { readonly type: 'set'; readonly members: Set<Bytes> }
  | { readonly type: 'zset'; readonly set: SortedSet }
  | StreamValue;

export type TypeName = Value['type'];
export type ValueOf<T extends TypeName> = Extract<Value, { type: T }>;

/** A key with its value. */
export interface Entry<T extends TypeName = TypeName> {
  readonly key: Bytes;
  /** Grows with each key that is made, so that a scan finds all that stood there when it began. */
  readonly id: number;
  readonly value: ValueOf<T>;
  /** When it is gone, ms since 1970; `null`: it stays. */
  expiresAt: number | null;
  /** Of what stands here; `null` when it has changed since it was asked for. */
  digest: string | null;
}
