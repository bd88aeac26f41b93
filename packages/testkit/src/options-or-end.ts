/**
 * Options of a command line. Ends the process with 0 after the help that was asked for, and with 2 after saying what is wrong with them.
 *
 * @param parse `undefined` when help was asked for; throws what is wrong
 */
export function optionsOrEnd<T extends object>(parse: (args: readonly string[]) => T | undefined, help: string): T {
  try {
    const options = parse(process.argv.slice(2));
    if (options !== undefined) return options;
    console.log(help);
    process.exit(0);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    process.exit(2);
  }
}
