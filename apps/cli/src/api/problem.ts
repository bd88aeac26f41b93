import { CliError, type Exit } from '../exit.ts';

/** The body of a refusal (RFC 9457). */
export interface ProblemBody {
  title?: string;
  detail?: string;
  code?: string;
  request_id?: string;
  /** `line` only in the refusals of batches. */
  errors?: { line?: number; pointer?: string; message: string }[];
}

/** The service answered, and refused. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  readonly body: ProblemBody;

  constructor(status: number, body: ProblemBody) {
    super(body.detail ?? body.title ?? `The service answered ${status}`);
    this.status = status;
    this.body = body;
  }

  static async from(response: Response): Promise<ApiProblem> {
    const text = await response.text();
    const requestId = response.headers.get('x-request-id');
    const location = response.headers.get('location');
    const redirect =
      response.status < 400 && location !== null ? { detail: `It points to ${location}: is that the address of the API?` } : {};
    return new ApiProblem(response.status, { ...redirect, ...(requestId ? { request_id: requestId } : {}), ...parse(text) });
  }

  get exit(): Exit {
    if (this.status === 401 || this.status === 403) return 'denied';
    // What is open under this key may still be accepted.
    const later = this.status === 429 || this.status >= 500 || this.body.code === 'idempotency_key_in_use';
    return later ? 'unreachable' : 'failed';
  }

  /** For a person: what is wrong, where, and the id that the operator of the service asks for. */
  describe(): string {
    const { title, detail, code, errors, request_id } = this.body;
    const wrong = errors ?? [];
    // With one wrong field the detail says no more than its line.
    const told = wrong.length === 1 && detail?.endsWith(wrong[0]?.message ?? '');
    const label = [this.status, code].filter(Boolean).join(' ');
    return [
      `${title ?? 'The service refused'} (${label})`,
      ...(detail === undefined || detail === title || told ? [] : [`  ${detail}`]),
      ...wrong.map(describeFieldError),
      ...(request_id === undefined ? [] : [`  request id: ${request_id}`]),
    ].join('\n');
  }
}

/** Where the service could not be reached, the same error with a line that says how to go on; any other as it is. */
export function withHint(error: unknown, hint: string): unknown {
  const known = error instanceof CliError || error instanceof ApiProblem;
  if (!known || error.exit !== 'unreachable') return error;
  const message = error instanceof ApiProblem ? error.describe() : error.message;
  return new CliError('unreachable', `${message}\n  ${hint}`, { cause: error });
}

function describeFieldError({ line, pointer, message }: { line?: number; pointer?: string; message: string }): string {
  const place = [line === undefined ? undefined : `line ${line}`, pointer].filter(Boolean).join(' ');
  return place === '' ? `  ${message}` : `  ${place}: ${message}`;
}

/** A proxy in between may answer HTML, or nothing. */
function parse(text: string): ProblemBody {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null) return body;
  } catch {
    // told by the status alone
  }
  return {};
}
