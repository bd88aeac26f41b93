import { AskError } from './ask-error.ts';
import { HELP, readCommand } from './cli.ts';
import { startEmulator } from './start.ts';

async function run(args: readonly string[]): Promise<void> {
  const command = readCommand(args);
  if (command.help) return console.log(HELP);
  const emulator = await startEmulator(command.options);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void emulator.close());
  console.log(`grsai-emulator ${emulator.nodes.map((node) => node.url).join(' ')}`);
  if (command.quiet) return;
  emulator.on('answer', (entry) =>
    console.log(`${new Date(entry.at).toISOString()} ${entry.status || 'cut'} ${entry.method} ${entry.path}`),
  );
}

await run(process.argv.slice(2)).catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  // parseArgs throws a TypeError of its own for unknown flags.
  const misused = error instanceof AskError || error instanceof TypeError;
  console.error(misused ? `${message}\nSee --help.` : message);
  process.exitCode = misused ? 2 : 1;
});
