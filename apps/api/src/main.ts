import { runApp } from '@grsai-jobs/runtime';
import { buildApi } from './build.ts';
import { ApiVariables, loadConfig } from './config.ts';

await runApp(
  {
    name: 'api',
    about: 'takes jobs over HTTP and keeps them safe in Redis.',
    variables: ApiVariables,
    loadConfig,
    build: buildApi,
  },
  process,
);
