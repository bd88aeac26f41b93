/** What went wrong on the way to a receiver or a download. */
export type EgressErrorCode =
  | 'forbidden_address'
  | 'dns'
  | 'connect'
  | 'timeout'
  | 'too_large'
  | 'redirects'
  | 'http'
  | 'aborted'
  | 'truncated'
  | 'undecodable';

/** How far a request came. */
export type Phase = 'dns' | 'connect' | 'tls' | 'write' | 'response';

const RETRYABLE: Readonly<Record<EgressErrorCode, boolean>> = {
  forbidden_address: false,
  dns: true,
  connect: true,
  timeout: true,
  too_large: false,
  redirects: false,
  http: false,
  aborted: true,
  truncated: true,
  // Like bytes that are no picture: the link is at fault, not the network.
  undecodable: false,
};

/** Answers that may be others in a while, though they refuse now. */
const isRetryableStatus = (status: number): boolean => status >= 500 || [408, 425, 429].includes(status);

/** Whether the same call may succeed later, by the status where there was an answer. A code that is none of ours says nothing: it may. */
export const isRetryable = (code: string, status?: number): boolean =>
  status === undefined ? RETRYABLE[code as EgressErrorCode] !== false : isRetryableStatus(status);

/**
 * A failure of guarded egress. `retryable` says whether the same call may succeed later; `status` is set for `http`.
 * The message names no address that a look-up answered: it may be shown to the tenant who gave the URL.
 */
export class EgressError extends Error {
  override readonly name = 'EgressError';
  readonly code: EgressErrorCode;
  readonly retryable: boolean;
  readonly status: number | undefined;
  readonly phase: Phase | undefined;
  /** The wait that the other side asked for, in ms. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: EgressErrorCode,
    message: string,
    {
      status,
      phase,
      retryAfterMs,
      cause,
    }: { status?: number; phase?: Phase; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
    this.retryable = isRetryable(code, status);
    this.status = status;
    this.phase = phase;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The `code` of a system or library error (`ECONNRESET`), else its name: short, and free of addresses. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
