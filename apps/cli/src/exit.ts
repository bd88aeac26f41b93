/** What the process ends with; `--help` shows this table, so scripts can count on it. */
export const EXITS = {
  ok: { code: 0, about: 'done; with --wait: the job, or each job of the batch, succeeded' },
  failed: { code: 1, about: 'the job or batch did not succeed, or the service refused the request' },
  usage: { code: 2, about: 'the command line or an input file is wrong; nothing was sent' },
  unreachable: { code: 3, about: 'the service could not be reached, or could not take the request now' },
  denied: { code: 4, about: 'no valid API key, or the key lacks a scope' },
  timeout: { code: 5, about: 'the time of --timeout is over; the job or batch continues' },
  interrupted: { code: 130, about: 'Ctrl-C; what was accepted continues' },
} as const;

export type Exit = keyof typeof EXITS;

/** An end that the command foresaw: `message` is all that the person needs to read. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exit: Exit;

  constructor(exit: Exit, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exit = exit;
  }
}

export const usage = (message: string): CliError => new CliError('usage', message);
