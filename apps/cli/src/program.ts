import { GrsaiJobsError } from '@grsai-jobs/client';
import { Command, CommanderError } from 'commander';
import type { AddCommand } from './command.ts';
import { batch } from './commands/batch/batch.ts';
import { cancel } from './commands/cancel.ts';
import { deleteJobs } from './commands/delete.ts';
import { get } from './commands/get.ts';
import { images } from './commands/images.ts';
import { list } from './commands/list.ts';
import { models } from './commands/models.ts';
import { admin } from './commands/operators/admin.ts';
import { audit } from './commands/operators/audit.ts';
import { bulk } from './commands/operators/bulk.ts';
import { failures, requeue } from './commands/operators/failures.ts';
import { keys } from './commands/operators/keys.ts';
import { overview } from './commands/operators/overview.ts';
import { queues } from './commands/operators/queues.ts';
import { suspects } from './commands/operators/suspects.ts';
import { tenants } from './commands/operators/tenants.ts';
import { retry } from './commands/retry.ts';
import { submit } from './commands/submit.ts';
import { usage } from './commands/usage.ts';
import { watch } from './commands/watch.ts';
import { deliveries, recover, resend } from './commands/webhooks.ts';
import { CliError, EXITS, type Exit } from './exit.ts';
import type { Host } from './host.ts';
import { paintFor } from './output/paint.ts';
import { describe, exitOf } from './refusal.ts';

const COMMANDS: readonly (readonly [string, readonly AddCommand[]])[] = [
  ['Jobs:', [submit, get, list, watch, cancel, retry, images, deleteJobs]],
  ['Batches:', [batch]],
  ['Models and usage:', [models, usage]],
  ['Webhooks:', [deliveries, resend, recover]],
  ['Operators:', [overview, failures, requeue, bulk, queues, keys, tenants, suspects, admin, audit]],
];

/** Runs one command line and answers the exit code. Throws nothing: what went wrong stands on stderr. */
export async function run(args: readonly string[], host: Host): Promise<number> {
  let exit: Exit = 'ok';
  const program = createProgram(host, (ended) => {
    exit = ended;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    exit = report(error, host);
  }
  return EXITS[exit].code;
}

function createProgram(host: Host, ended: (exit: Exit) => void): Command {
  const program = new Command(host.program)
    .description('Chat and image generation jobs on a grsai-jobs service, over its HTTP API.')
    .exitOverride()
    .helpCommand(false)
    .configureHelp({ subcommandTerm: (command) => [command.name(), argumentsOf(command)].join(' ').trim() })
    .configureOutput({
      writeOut: (text) => void host.stdout.write(text),
      writeErr: (text) => void host.stderr.write(text),
      getOutHelpWidth: () => host.stdout.columns ?? 100,
      getErrHelpWidth: () => host.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showSuggestionAfterError()
    .addHelpText('after', `\n${exitsText()}\n\n${startText(host.program)}`);
  for (const [group, commands] of COMMANDS) {
    program.commandsGroup(group);
    for (const add of commands) add(program, host, ended);
  }
  return program;
}

const argumentsOf = (command: Command): string => command.usage().replace('[options]', '').replace('[command]', '…').trim();

const startText = (program: string): string => `Environment:
  GRSAI_JOBS_API  address of the service
  GRSAI_JOBS_KEY  API key
  NO_COLOR        no colours

Examples:
  $ export GRSAI_JOBS_API=http://127.0.0.1:8080 GRSAI_JOBS_KEY=gj_…
  $ ${program} submit --chat "Say hello" --model gemini-3.1-pro --wait
  $ ${program} batch submit prompts.ndjson --results results.ndjson
  $ ${program} submit --help`;

const exitsText = (): string =>
  ['Exit codes:', ...Object.values(EXITS).map(({ code, about }) => `  ${String(code).padEnd(4)} ${about}`)].join('\n');

/** Says on stderr what went wrong. */
function report(error: unknown, host: Host): Exit {
  const paint = paintFor(host.stderr, host.env);
  const say = (text: string): void => void host.stderr.write(`${paint('red', 'Error:')} ${text}\n`);
  // Commander has said it already. No command at all shows the help, which is no success.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 'ok' : 'usage';
  if (host.interrupt.aborted || (error instanceof CliError && error.exit === 'interrupted')) {
    host.stderr.write(`${error instanceof CliError ? error.message : 'Stopped.'}\n`);
    return 'interrupted';
  }
  if (error instanceof GrsaiJobsError) {
    say(describe(error));
    return exitOf(error);
  }
  if (error instanceof CliError) {
    say(error.message);
    return error.exit;
  }
  say(error instanceof Error ? error.message : String(error));
  return 'failed';
}
