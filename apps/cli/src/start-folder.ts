import type { Host } from './host.ts';

/** The folder in which a person typed `npm run jobs` or `pnpm jobs`; `undefined` when nobody has left it for us. */
export function startFolder(env: Host['env']): string | undefined {
  // Inside of another script INIT_CWD is where that one was started, and its own folder counts.
  return env['npm_lifecycle_event'] === 'jobs' ? env['INIT_CWD'] || undefined : undefined;
}
