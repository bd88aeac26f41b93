import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type AppOutput, startApps, stopApps } from './apps.ts';
import type { Child, Output } from './child.ts';
import { type EmulatorPace, startEmulator } from './emulator.ts';
import { type FindPort, portFinder } from './ports.ts';
import { privateDirectory } from './private-directory.ts';
import { startRedis } from './redis.ts';
import { type Env, given, root, short } from './root.ts';
import { startS3 } from './s3.ts';
import { keptSecret } from './secrets.ts';

const LOOPBACK = '127.0.0.1/32';
const STAND_IN_STOP_MS = 3000;

export interface StackOptions {
  /** A claimed directory for all state. */
  readonly dir: string;
  /** What is configured; whatever is missing gets a stand-in. */
  readonly env: Env;
  /** How long the emulator takes, if it is used. */
  readonly pace: EmulatorPace;
  /** The queues' prefix when this stack must not meet the workers of another one in the same Redis. */
  readonly prefix: string;
  /** Webhooks may go to this machine even when the upstream is the real one. */
  readonly receiverHere?: boolean;
  readonly appOutput: AppOutput;
  readonly standInOutput: Output;
  /** Hears what a person has to know of the start, such as a port that was taken. */
  readonly print: (line: string) => void;
  /** Ends a start that is under way. */
  readonly stop: AbortSignal;
}

/** A part of the stack that is not what production has, in words for people. */
interface StandIn {
  readonly what: string;
  readonly about: string;
}

/** The whole service, ready. */
export interface Stack {
  readonly api: string;
  readonly worker: string | undefined;
  readonly adminKey: string;
  readonly realUpstream: boolean;
  readonly standIns: readonly StandIn[];
  /** Resolves with a sentence when a process ends that nobody stopped. */
  readonly broken: Promise<string>;
  /** Stops the apps, then the stand-ins. Twice is fine. */
  stop(): Promise<void>;
}

/** Starts everything, in about the time of the slowest part; when one part fails, those that run are stopped again. */
export async function startStack(options: StackOptions): Promise<Stack> {
  await using parts = new AsyncDisposableStack();
  const standIns: StandIn[] = [];
  const find = portFinder(options.print);
  const { env: standInEnv, children } = await startStandIns(options, find, parts, standIns);
  const secrets = keys(options, standIns);
  const env: Env = {
    ...options.env,
    ...standInEnv,
    ...secrets,
    ...(standIns.length > 0 ? { HOST: given(options.env, 'HOST') ?? '127.0.0.1' } : {}),
    REDIS_PREFIX: given(options.env, 'REDIS_PREFIX') ?? options.prefix,
    EGRESS_ALLOW: egress(options),
  };
  const apps = await startApps(env, options.appOutput, find, options.stop);
  parts.defer(() => stopApps(apps.children, env));

  const running = parts.move();
  let stopping = false;
  return {
    api: apps.api,
    worker: apps.worker,
    adminKey: secrets.ADMIN_API_KEY,
    realUpstream: hasUpstream(options.env),
    standIns,
    broken: new Promise((resolve) => {
      for (const child of [...apps.children, ...children])
        void child.ended.then((how) => stopping || resolve(`${child.name} ended by itself (${how})`));
    }),
    async stop() {
      stopping = true;
      await running.disposeAsync();
    },
  };
}

const hasUpstream = (env: Env): boolean => given(env, 'GRSAI_API_KEY') !== undefined;

async function startStandIns(
  { dir, env, pace, standInOutput, stop }: StackOptions,
  find: FindPort,
  parts: AsyncDisposableStack,
  standIns: StandIn[],
) {
  const started = async <T>(part: Promise<T> | undefined, end: (part: T) => Promise<void>): Promise<T | undefined> => {
    const running = await part;
    if (running) parts.defer(() => end(running));
    return running;
  };
  const stopChild = ({ child }: { readonly child: Child }) => child.stop(STAND_IN_STOP_MS);
  const settled = await Promise.allSettled([
    started(
      given(env, 'REDIS_URL') ? undefined : startRedis(join(dir, 'redis'), given(env, 'LOCAL_REDIS') ?? 'redis-server', find),
      (own) => own.stop(),
    ),
    started(given(env, 'S3_BUCKET') ? undefined : startS3(join(dir, 's3'), env, standInOutput, find, stop), stopChild),
    started(hasUpstream(env) ? undefined : startEmulator(pace, env, standInOutput, find, stop), stopChild),
  ]);
  const [redis, s3, emulator] = [outcome(settled[0]), outcome(settled[1]), outcome(settled[2])];

  if (redis) standIns.push({ what: 'Redis', about: redis.about });
  if (s3) standIns.push({ what: 'S3', about: `${s3.url}, keeps ${short(join(dir, 's3'))}` });
  if (emulator) standIns.push({ what: 'Grsai API', about: `emulator at ${emulator.url}, forgets its tasks when it ends` });
  return {
    env: { ...(redis ? { REDIS_URL: redis.url } : {}), ...s3?.env, ...emulator?.env },
    children: [s3?.child, emulator?.child].filter((child) => child !== undefined),
  };
}

function outcome<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

// One place for all stacks of this repository: two of them may share a Redis, and then what one encrypts the other reads.
function keys({ env }: StackOptions, standIns: StandIn[]) {
  const kept = join(root, '.data', 'keys');
  // Keys, jobs and images of whoever runs this: not for other users of the machine.
  privateDirectory(join(root, '.data'));
  privateDirectory(kept);
  const made = ['ADMIN_API_KEY', 'SECRETS_KEY'].filter((name) => given(env, name) === undefined);
  if (made.length > 0) standIns.push({ what: made.join(', '), about: `generated, kept in ${short(kept)}` });
  return {
    ADMIN_API_KEY:
      given(env, 'ADMIN_API_KEY') ?? keptSecret(kept, 'admin-api-key', () => `gj_${randomBytes(24).toString('base64url')}`),
    SECRETS_KEY: given(env, 'SECRETS_KEY') ?? keptSecret(kept, 'secrets-key', () => randomBytes(32).toString('base64')),
  };
}

// The emulator's files and a receiver of our own are on this machine, which the egress guard refuses otherwise.
function egress({ env, receiverHere }: StackOptions): string | undefined {
  const configured = given(env, 'EGRESS_ALLOW');
  if (hasUpstream(env) && !receiverHere) return configured;
  return [configured, LOOPBACK].filter(Boolean).join(',');
}
