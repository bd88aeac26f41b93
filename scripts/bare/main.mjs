import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dropByteOrderMark } from './byte-order-mark.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { handOver } from './hand-over.mjs';
import { root } from './paths.mjs';
import { ensureRedis } from './redis.mjs';
import { Trouble } from './steps.mjs';

const ENV_FILE = new URL('.env', root);

/**
 * Makes the machine ready, then runs `scripts/<command>.ts` and resolves with its exit code. What stands in the way
 * is reported in plain words; the code is then 1. Tests see the environment only, the others a file `.env` as well.
 */
export async function prepareAndRun(command, args) {
  const nodeOptions = [];
  if (command !== 'test' && existsSync(ENV_FILE)) {
    process.loadEnvFile?.(fileURLToPath(ENV_FILE)); // not there before Node 20.12; the program reads it in any case
    dropByteOrderMark(process.env);
    nodeOptions.push('--env-file=.env');
  }
  try {
    const node = await ensureDependencies();
    const [configured, servers] =
      command === 'test' ? ['TEST_REDIS_URL', ['redis-server']] : ['REDIS_URL', ['redis-server', 'valkey-server']];
    if (!process.env[configured]) process.env.LOCAL_REDIS = await ensureRedis(servers);
    return await handOver(node, [...nodeOptions, `scripts/${command}.ts`, ...args]);
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    console.error(`\n${error.message}\n`);
    return 1;
  }
}
