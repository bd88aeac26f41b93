/** How often each oddity happens to a call. */
export interface Oddities {
  /** The connection breaks before the body has gone out. */
  notSent: number;
  /** The connection breaks after that, and what was asked for is done. */
  lost: number;
  /** HTTP 500, with nothing made. */
  failed: number;
  /** The model takes no calls just then. */
  unavailable: number;
  /** The task, or chat, is refused by policy. */
  violation: number;
  /** The task fails, and is refunded. */
  taskFailed: number;
  /** The answer of a chat ends without a reason. */
  unfinished: number;
  /** The task takes some minutes. */
  slow: number;
  /** The answer of a paid call comes after many seconds. */
  late: number;
  /** A worker that loads a picture of the task dies of it. */
  deadly: number;
}

export const NO_ODDITIES: Oddities = {
  notSent: 0,
  lost: 0,
  failed: 0,
  unavailable: 0,
  violation: 0,
  taskFailed: 0,
  unfinished: 0,
  slow: 0,
  late: 0,
  deadly: 0,
};
