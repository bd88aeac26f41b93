/** What editors of Windows begin a file with. */
const MARK = '\ufeff';

/**
 * Where a file of variables begins with a byte order mark, Node takes that for a part of the first name. Gives that variable its
 * name, unless it was set before, as every other one of the file.
 */
export function dropByteOrderMark(env) {
  for (const name of Object.keys(env).filter((each) => each.startsWith(MARK))) {
    env[name.slice(MARK.length)] ??= env[name];
    delete env[name];
  }
}
