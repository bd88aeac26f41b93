import { runApp } from '@grsai-jobs/runtime';
import { buildWorker } from './build.ts';
import { loadConfig, WorkerVariables } from './config.ts';

await runApp(
  {
    name: 'worker',
    about: 'runs jobs against the Grsai API, stores results, sends webhooks.',
    variables: WorkerVariables,
    loadConfig,
    build: buildWorker,
  },
  process,
);
