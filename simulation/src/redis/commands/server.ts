import { wrongArity } from '../errors.ts';
import { at } from './arguments.ts';
import { type Commands, other, Status } from './command.ts';

/** Commands that need nothing but a clock and the channels. */
export const SERVER: Commands = {
  PING: other(-1, (_, args) => {
    if (args.length > 1) throw wrongArity('ping');
    return args.length === 0 ? new Status('PONG') : at(args, 0);
  }),
  ECHO: other(2, (_, args) => at(args, 0)),
  TIME: other(1, (db) => {
    const now = db.now();
    const ms = Math.floor(now);
    return [String(Math.floor(ms / 1000)), String((ms % 1000) * 1000)];
  }),
  PUBLISH: other(3, (db, args) => db.publish(at(args, 0), at(args, 1))),
};
