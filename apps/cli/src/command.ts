import { type Command, Option } from 'commander';
import { type CommonOptions, type Context, createContext, DEFAULT_API } from './context.ts';
import type { Exit } from './exit.ts';
import type { Host } from './host.ts';

export interface CommandSpec<Options extends object> {
  /** As commander writes it: `retry <job>`. */
  usage: string;
  /** One line for the list of commands. */
  about: string;
  /** What else a person has to know, under the line. */
  details?: string;
  /** Each a line to type after the name of the program, and what it does. */
  examples: Examples;
  options?: readonly Option[];
  /** Of a group: what its name alone does. */
  isDefault?: boolean;
  /** `args` in the order of `usage`; those that are optional may be missing. No answer is `ok`. */
  run: (context: Context, options: Options, args: readonly string[]) => Promise<Exit | undefined>;
}

type Examples = readonly (readonly [string, string])[];

/** Puts a command below its parent; `ended` gets how it went. */
export interface AddCommand {
  (parent: Command, host: Host, ended: (exit: Exit) => void): void;
  readonly examples: Examples;
}

const COMMON = 'Common options:';

export function defineCommand<Options extends object>(spec: CommandSpec<Options>): AddCommand {
  const add = (parent: Command, host: Host, ended: (exit: Exit) => void): void => {
    const command = parent
      .command(spec.usage, { isDefault: spec.isDefault === true })
      .summary(spec.about)
      .description([spec.about, spec.details].filter(Boolean).join('\n\n'));
    for (const option of spec.options ?? []) command.addOption(option);
    command
      .optionsGroup(COMMON)
      .option('--json', 'JSON on stdout and nothing else: one value, or a line for each thing of a list')
      .addOption(new Option('--api <url>', `address of the service (env GRSAI_JOBS_API, else ${DEFAULT_API})`))
      .addOption(new Option('--key <key>', 'API key (env GRSAI_JOBS_KEY, which other users of this machine cannot see)'))
      .addHelpText('after', `\n${examplesText(spec.examples, host)}`)
      .action(async () => {
        const context = createContext(host, command.opts<CommonOptions>());
        try {
          ended((await spec.run(context, command.opts<Options>(), command.args)) ?? 'ok');
        } finally {
          context.progress.end();
        }
      });
  };
  return Object.assign(add, { examples: spec.examples });
}

/** A command that only holds others, and shows the first example of each. */
export function defineGroup(name: string, about: string, commands: readonly AddCommand[]): AddCommand {
  const examples = commands.flatMap((each) => each.examples.slice(0, 1));
  const add = (parent: Command, host: Host, ended: (exit: Exit) => void): void => {
    const group = parent.command(name).summary(about).description(about).helpCommand(false);
    group.addHelpText('after', `\n${examplesText(examples, host)}`);
    for (const command of commands) command(group, host, ended);
  };
  return Object.assign(add, { examples });
}

/** Where a line names the program again it is `pnpm jobs`, as in the repository. */
function examplesText(examples: Examples, { program }: Host): string {
  const lines = examples.map(([line, what]) => `  # ${what}\n  $ ${program} ${line.replaceAll('pnpm jobs', program)}`);
  return ['Examples:', ...lines].join('\n');
}

/** An option, with what turns its text into its value. */
export function option<T>(flags: string, about: string, parse?: (text: string, previous: T | undefined) => T): Option {
  const made = new Option(flags, about);
  return parse === undefined ? made : made.argParser<T | undefined>(parse);
}

export const choice = (flags: string, about: string, values: readonly string[]): Option =>
  new Option(flags, about).choices(values);
