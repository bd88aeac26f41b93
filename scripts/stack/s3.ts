import { mkdirSync } from 'node:fs';
import { type Child, type Output, startChild, untilReady } from './child.ts';
import type { FindPort } from './ports.ts';
import type { Env } from './root.ts';

const PREFERRED_PORT = 9000;
const BUCKET = 'grsai-jobs';

/** An S3 server of our own, and the variables that point the apps at it. */
export interface LocalS3 {
  readonly child: Child;
  readonly url: string;
  readonly env: Env;
}

/** Starts an S3 server that keeps its objects in `dir` and serves this machine only. */
export async function startS3(dir: string, env: Env, output: Output, find: FindPort, stop: AbortSignal): Promise<LocalS3> {
  mkdirSync(dir, { recursive: true });
  const port = await find('the S3 server', PREFERRED_PORT);
  const url = `http://127.0.0.1:${port}`;
  const child = startChild('the S3 server', ['scripts/stack/s3-server.ts', String(port), dir, BUCKET], env, output);
  await untilReady(child, `${url}/health`, stop);
  return {
    child,
    url,
    env: {
      S3_ENDPOINT: url,
      S3_BUCKET: BUCKET,
      S3_REGION: 'us-east-1',
      S3_FORCE_PATH_STYLE: 'true',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local-secret',
      AWS_SESSION_TOKEN: undefined,
      AWS_PROFILE: undefined,
    },
  };
}
