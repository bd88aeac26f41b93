import { ConfigError, createLogger, stopOnSignals } from '@grsai-jobs/runtime';
import { buildWorker } from './build.ts';
import { loadConfig, WorkerVariables } from './config.ts';

const HELP = `grsai-jobs worker: runs jobs against the Grsai API, stores results, sends webhooks.

  node apps/worker/src/main.ts        (or: pnpm start:worker)

Everything is configured by the environment:
${Object.entries(WorkerVariables.shape)
  .map(([name, schema]) => `  ${name}${schema.description ? `  ${schema.description}` : ''}`)
  .join('\n')}

.env.example lists the defaults. SIGTERM stops it within SHUTDOWN_TIMEOUT_S; a second one at once.
`;

if (process.argv.includes('--help')) {
  process.stdout.write(HELP);
  process.exit(0);
}
try {
  const config = loadConfig(process.env);
  const log = createLogger({ name: 'worker', level: config.LOG_LEVEL, pretty: config.LOG_PRETTY });
  const worker = await buildWorker(config, log);
  stopOnSignals(log, worker.stop);
} catch (error) {
  process.stderr.write(
    `${error instanceof ConfigError ? error.message : `The worker did not start: ${error instanceof Error ? error.message : String(error)}`}\n`,
  );
  process.exit(1);
}
