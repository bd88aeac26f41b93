/**
 * Makes a write that is no script and that somebody is told of: resolves with its reply as soon as it lasts.
 * @throws `NotLasting` with the reply: it was written, and nobody knows whether it lasts.
 */
export type LastingWrite = <T>(write: () => Promise<T>) => Promise<T>;
