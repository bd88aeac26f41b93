import { type Env, given } from './root.ts';

/**
 * The environment of both apps on a bare machine. The worker's health port asks for no key: nobody but this machine is let in. No balancer
 * is in front of the API, so that its stop waits for none.
 */
export const appEnvironment = (
  env: Env,
  ports: { PORT: string; HEALTH_PORT: string },
): Env & { HEALTH_HOST: string; DRAIN_S: string } => ({
  ...env,
  ...ports,
  HEALTH_HOST: given(env, 'HEALTH_HOST') ?? '127.0.0.1',
  DRAIN_S: given(env, 'DRAIN_S') ?? '0',
});
