import type { GrsaiJobs } from '@grsai-jobs/client';
import { createClient } from './client.ts';
import { usage } from './exit.ts';
import type { Host } from './host.ts';
import { createOutput, type Output } from './output/output.ts';
import { createProgress, type Progress } from './output/progress.ts';

/** What each command has at hand. */
export interface Context {
  readonly host: Host;
  readonly client: GrsaiJobs;
  readonly out: Output;
  readonly progress: Progress;
  /** A line for the person, on stderr; not with --json, where programs read. */
  readonly hint: (line: string) => void;
}

export interface CommonOptions {
  api?: string;
  key?: string;
  json?: boolean;
}

export const DEFAULT_API = 'http://127.0.0.1:8080';

/** The address without a slash at its end, from the flag, the environment or the default. */
function addressOf(options: CommonOptions, env: Host['env']): string {
  const text = (options.api || env['GRSAI_JOBS_API'])?.trim() || DEFAULT_API;
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw usage(`The address of the service must be an http(s) URL, not ${text}`);
  if (/\/v1\/?$/.test(new URL(text).pathname)) throw usage('The address of the service must end before /v1, which is added here');
  return text.replace(/\/+$/, '');
}

export function createContext(host: Host, options: CommonOptions): Context {
  const url = addressOf(options, host.env);
  const key = (options.key || host.env['GRSAI_JOBS_KEY'])?.trim();
  if (!key) throw usage('No API key: set GRSAI_JOBS_KEY, or give --key');
  if (/^bearer\s/i.test(key)) throw usage('The API key must be given alone, without "Bearer"');
  if (/^["'`]/.test(key)) throw usage('The API key must be given without quotes');
  if (!/^[\x21-\x7e]+$/.test(key)) throw usage('The API key may hold visible ASCII characters only');
  const progress = createProgress(host);
  return {
    host,
    client: createClient(host, { url, key, note: progress.note }),
    out: createOutput(host, options.json === true),
    progress,
    hint: (line) => {
      if (!options.json) progress.note(line);
    },
  };
}
