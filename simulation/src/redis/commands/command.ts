import type { Bytes } from '../bytes.ts';
import type { Store } from '../data/store.ts';
import type { ReplyError } from '../errors.ts';

/** An answer that is a status, such as OK. */
export class Status {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export const OK = new Status('OK');

/** What a command answers: an integer, bytes, nothing, a status, a list. An error is thrown; within EXEC it stands in the list. */
export type Reply = number | Bytes | null | Status | ReplyError | readonly Reply[];

/** What commands work on. */
export interface Database {
  readonly store: Store;
  /** Ms since 1970. */
  now(): number;
  /** Answers how many have received it. */
  publish(channel: Bytes, message: Bytes): number;
}

/**
 * `read` changes nothing. `write` runs on a full Redis too, `grows` does not. `other` is neither, and may run in any state.
 */
type Effect = 'read' | 'write' | 'grows' | 'other';

export interface CommandSpec {
  /** As Redis counts, with the name; negative: at least so many. */
  readonly arity: number;
  readonly effect: Effect;
  run(db: Database, args: readonly Bytes[]): Reply;
}

export type Commands = Readonly<Record<string, CommandSpec>>;

export const read = (arity: number, run: CommandSpec['run']): CommandSpec => ({ arity, effect: 'read', run });
export const write = (arity: number, run: CommandSpec['run']): CommandSpec => ({ arity, effect: 'write', run });
export const grows = (arity: number, run: CommandSpec['run']): CommandSpec => ({ arity, effect: 'grows', run });
export const other = (arity: number, run: CommandSpec['run']): CommandSpec => ({ arity, effect: 'other', run });
