import { ConnectionError, GrsaiJobsError } from '@grsai-jobs/client';
import { CliError, type Exit } from './exit.ts';

/** What a refusal of the service, or none of its answers, means for the exit code, and how a person is told. */

export function exitOf(error: GrsaiJobsError): Exit {
  if (error.status === 401 || error.status === 403) return 'denied';
  // What is not JSON is not the service.
  return error.retryable || error instanceof ConnectionError || error.code === 'not_json' ? 'unreachable' : 'failed';
}

/** What is wrong, where, and the id that the operator of the service asks for. */
export function describe({ status, code, detail, errors, requestId, problem }: GrsaiJobsError): string {
  if (status === undefined) return detail;
  const title = problem?.title ?? 'The service refused';
  // With one wrong field the detail says no more than its line.
  const repeated = errors.length === 1 && detail.endsWith(errors[0]?.message ?? '');
  return [
    `${title} (${[status, code].join(' ')})`,
    ...(detail === title || repeated ? [] : [`  ${detail}`]),
    ...errors.map(describeFieldError),
    ...(requestId === undefined ? [] : [`  request id: ${requestId}`]),
  ].join('\n');
}

function describeFieldError({ line, pointer, message }: GrsaiJobsError['errors'][number]): string {
  const place = [line === undefined ? undefined : `line ${line}`, pointer].filter(Boolean).join(' ');
  return place === '' ? `  ${message}` : `  ${place}: ${message}`;
}

/** Where the service could not be reached, the same error with a line that says how to go on; any other as it is. */
export function withHint(error: unknown, hint: string): unknown {
  if (!(error instanceof GrsaiJobsError) || exitOf(error) !== 'unreachable') return error;
  return new CliError('unreachable', `${describe(error)}\n  ${hint}`, { cause: error });
}
