import { ConfigError, createLogger, stopOnSignals } from '@grsai-jobs/runtime';
import { buildApi } from './build.ts';
import { ApiVariables, loadConfig } from './config.ts';

const HELP = `grsai-jobs API: takes jobs over HTTP and keeps them safe in Redis.

  node apps/api/src/main.ts        (or: pnpm start:api)

Everything is configured by the environment:
${Object.entries(ApiVariables.shape)
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
  const log = createLogger({ name: 'api', level: config.LOG_LEVEL, pretty: config.LOG_PRETTY });
  const api = await buildApi(config, log);
  stopOnSignals(log, api.stop);
} catch (error) {
  process.stderr.write(
    `${error instanceof ConfigError ? error.message : `The API did not start: ${error instanceof Error ? error.message : String(error)}`}\n`,
  );
  process.exit(1);
}
