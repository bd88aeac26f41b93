import { appEnvironment } from './app-environment.ts';
import { type Child, type Output, startChild, untilReady } from './child.ts';
import { configuredPort, type FindPort } from './ports.ts';
import { type Env, given } from './root.ts';
import { startCommand } from './start-command.ts';

const DEFAULT_STOP_S = 25; // the default of SHUTDOWN_TIMEOUT_S

/** The two apps as processes, ready. */
export interface Apps {
  readonly api: string;
  /** The address of the worker's health server; undefined when HEALTH_PORT is 0. */
  readonly worker: string | undefined;
  readonly children: readonly Child[];
}

/** What the apps write: each to our output, or to a file of its own. */
export type AppOutput = (app: 'api' | 'worker') => Output;

/**
 * Starts both apps from `env` and waits until both are ready. `PORT` and `HEALTH_PORT` that are not configured become the
 * defaults when they are free, else any free port, which is printed.
 */
export async function startApps(env: Env, output: AppOutput, find: FindPort, stop: AbortSignal): Promise<Apps> {
  const port = await choosePort(env, 'PORT', () => find('the API', 8080));
  const healthPort = await choosePort(env, 'HEALTH_PORT', () => find('the health of the worker', 9090));
  const ours = appEnvironment(env, { PORT: port, HEALTH_PORT: healthPort });
  const host = reachable(given(env, 'HOST'));
  const api = startChild('the API', startCommand('api'), ours, output('api'));
  const worker = startChild('the worker', startCommand('worker'), ours, output('worker'));
  const apps: Apps = {
    api: `http://${host}:${port}`,
    worker: healthPort === '0' ? undefined : `http://${reachable(ours.HEALTH_HOST)}:${healthPort}`,
    children: [api, worker],
  };
  try {
    await Promise.all([
      untilReady(api, `${apps.api}/readyz`, stop),
      apps.worker ? untilReady(worker, `${apps.worker}/readyz`, stop) : undefined,
    ]);
    return apps;
  } catch (error) {
    await stopApps(apps.children, env);
    throw error;
  }
}

async function choosePort(env: Env, variable: string, find: () => Promise<number>): Promise<string> {
  const configured = given(env, variable);
  return configured === undefined ? String(await find()) : configuredPort(variable, configured);
}

/** Stops both at once: each has SHUTDOWN_TIMEOUT_S, and is killed a moment after it. */
export async function stopApps(children: readonly Child[], env: Env): Promise<void> {
  const limitMs = (Number(given(env, 'SHUTDOWN_TIMEOUT_S')) || DEFAULT_STOP_S) * 1000;
  await Promise.all(children.map((child) => child.stop(limitMs + 1000)));
}

function reachable(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
