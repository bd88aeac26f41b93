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
  /** The answer of a chat is too long for a record. */
  long: number;
  /** A task makes several pictures. */
  several: number;
  /** The file of a picture is gone from the beginning, or is no picture. */
  broken: number;
  /** The call is refused in words that nobody knows. */
  strange: number;
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
  long: 0,
  several: 0,
  broken: 0,
  strange: 0,
};
