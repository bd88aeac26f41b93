import type { z } from 'zod';
import { ConfigError, tellVariables } from './config.ts';
import { type Env, tidyForeign } from './environment.ts';
import { stopOnSignals } from './lifecycle.ts';
import { createLogger, type Logger } from './logger.ts';
import { systemTimers } from './timers.ts';
import { within } from './within.ts';

/** A start that hangs has begun nothing: so long a signal waits for its end. */
const STARTS_WITHIN_MS = 5000;

/** One process of the service, as its `main.ts` describes it. */
export interface App<T extends { LOG_LEVEL: string; LOG_PRETTY: boolean }> {
  name: 'api' | 'worker';
  /** What it does, in one line of `--help`. */
  about: string;
  variables: z.ZodObject;
  loadConfig: (env: Env) => T;
  /** `mustStop` resolves with a reason when the process cannot go on: then it stops as on a signal, and ends with code 1. */
  build: (config: T, log: Logger) => Promise<{ stop: () => Promise<Error[]>; mustStop: Promise<string> }>;
}

const helpOf = ({
  name,
  about,
  variables,
}: Pick<App<never>, 'name' | 'about' | 'variables'>): string => `grsai-jobs ${name}: ${about}

  node apps/${name}/src/main.ts                    (or: pnpm start:${name})
  node --env-file=.env apps/${name}/src/main.ts    with the variables of a file

Everything is configured by the environment:
${tellVariables(variables)}

.env.example and docs/operations.md say more. SIGTERM stops it within SHUTDOWN_TIMEOUT_S; a second one at once.
`;

/** Runs a process from its environment until a signal. A start that fails says why on stderr and ends with code 1. */
export async function runApp<T extends { LOG_LEVEL: string; LOG_PRETTY: boolean }>(
  app: App<T>,
  { argv, env, stdout, stderr, exit }: Pick<NodeJS.Process, 'argv' | 'env' | 'stdout' | 'stderr' | 'exit'>,
): Promise<void> {
  if (argv.includes('--help')) {
    stdout.write(helpOf(app));
    return exit(0);
  }
  try {
    tidyForeign(env);
    const config = app.loadConfig(env);
    const log = createLogger({ name: app.name, level: config.LOG_LEVEL, pretty: config.LOG_PRETTY });
    const starting = app.build(config, log);
    // Before the start has ended: a worker takes jobs before it says that it is ready, and nothing it has begun is to be cut off.
    const stopFor = stopOnSignals(log, async () => {
      const built = await within(systemTimers, STARTS_WITHIN_MS, 'it was still starting', starting);
      return await built.stop();
    });
    const { mustStop } = await starting;
    void mustStop.then(stopFor);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    stderr.write(`${error instanceof ConfigError ? why : `The ${app.name} did not start: ${why}`}\n`);
    exit(1);
  }
}
