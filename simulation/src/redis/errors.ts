/** An answer of Redis that is an error. The message is what a client sees, with its code in front. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

/**
 * The simulation does not know this command, option or function. Never an answer: it goes past `pcall` and past clients to whoever
 * runs the simulation, since a wrong answer would be worse than none.
 */
export class NotModelled extends Error {
  override readonly name = 'NotModelled';
  constructor(what: string) {
    super(`the simulated Redis does not model ${what}`);
  }
}

export const wrongType = (): ReplyError => new ReplyError('WRONGTYPE Operation against a key holding the wrong kind of value');
export const syntaxError = (): ReplyError => new ReplyError('ERR syntax error');
export const notAnInteger = (): ReplyError => new ReplyError('ERR value is not an integer or out of range');
export const wrongArity = (command: string): ReplyError =>
  new ReplyError(`ERR wrong number of arguments for '${command.toLowerCase()}' command`);
